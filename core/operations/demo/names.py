"""Names of people and of clinics."""

from collections.abc import Iterator
from itertools import count


def words(text: str) -> tuple[str, ...]:
    """The text's words, at white space."""
    return tuple(text.split())


WOMEN = words(
    "María Camila Francisca Javiera Constanza Catalina Valentina Daniela Carolina Andrea Paula Claudia Marcela Patricia"
    " Verónica Ximena Loreto Pamela Alejandra Fernanda Antonia Josefa Isidora Sofía Emilia Rosa Gladys Teresa Elena"
    " Silvia Gloria Norma Carmen Cecilia Ana Bárbara Macarena Paz Soledad Rocío"
)
MEN = words(
    "José Juan Luis Carlos Jorge Manuel Víctor Pedro Sergio Cristián Rodrigo Francisco Felipe Diego Sebastián Matías"
    " Nicolás Benjamín Vicente Tomás Ignacio Joaquín Agustín Andrés Pablo Marcelo Claudio Patricio Héctor Raúl Hernán"
    " Gonzalo Mauricio Fernando Eduardo Ricardo Roberto Álvaro Gabriel Martín"
)
SURNAMES = words(
    "González Muñoz Rojas Díaz Pérez Soto Contreras Silva Martínez Sepúlveda Morales Rodríguez López Fuentes Hernández"
    " Torres Araya Flores Espinoza Valenzuela Castillo Tapia Reyes Gutiérrez Castro Pizarro Álvarez Vásquez Sánchez"
    " Fernández Ramírez Carrasco Gómez Cortés Herrera Núñez Jara Vergara Rivera Figueroa Riquelme García Miranda Bravo"
    " Vera Molina Vega Campos Sandoval Orellana Cárdenas Olivares Alarcón Gallardo Ortiz Garrido Salazar Guzmán"
    " Henríquez Saavedra Navarro Aguilera Parra Romero Aravena Vargas Cáceres Yáñez Leiva Escobar Ruiz Valdés Vidal"
    " Salinas Zúñiga Peña Godoy Lagos Maldonado Bustos Medina Pino Palma Moreno Sanhueza Carvajal Navarrete Donoso"
    " Ñancupil Huenchullán Catrileo Painemal Mamani Quispe Choque"
)

CHAIN = "Clínica RedSalud"
NETWORK = (
    "Iquique",
    "Elqui",
    "Valparaíso",
    "Providencia",
    "Santiago",
    "Vitacura",
    "Rancagua",
    "Mayor Temuco",
    "Magallanes",
)
"""The nine that exist."""
TOWNS = words(
    "Antofagasta Copiapó Ovalle Illapel Quillota Limache Quilpué Melipilla Talagante Maipú Ñuñoa Peñalolén"
    " Macul Recoleta Colina Curicó Talca Linares Cauquenes Chillán Concepción Talcahuano Coronel Cañete Angol"
    " Victoria Villarrica Pucón Valdivia Osorno Frutillar Ancud Castro Coyhaique Natales Porvenir Calama"
    " Tocopilla Taltal Vallenar Vicuña Combarbalá Casablanca Cartagena Pichilemu Rengo Machalí Molina"
    " Constitución Parral Bulnes Tomé Lota Arauco Lebu Traiguén Lautaro Pitrufquén Loncoche Panguipulli"
    " Futrono Purranque Llanquihue Calbuco Maullín Quellón"
)
QUARTERS = ("", "Norte", "Sur", "Oriente", "Poniente", "Centro", "Alto", "Bajo", "Costa", "Plaza", "Parque", "Estación")

PUNTA_ARENAS = frozenset({"Magallanes", "Natales", "Porvenir"})
"""Places that keep summer time all year."""


def clinic_names() -> Iterator[str]:
    """The network's nine, then made-up ones, without end."""
    yield from (f"{CHAIN} {place}" for place in NETWORK)
    for round_ in count(1):
        for quarter in QUARTERS:
            for town in TOWNS:
                yield " ".join(part for part in (CHAIN, town, quarter, str(round_) if round_ > 1 else "") if part)


def timezone_of(clinic_name: str) -> str:
    """IANA's name, by the town in the clinic's name."""
    place = clinic_name.removeprefix(f"{CHAIN} ").split()[0]
    return "America/Punta_Arenas" if place in PUNTA_ARENAS else "America/Santiago"
