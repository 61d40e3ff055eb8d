"""Users and patients: who somebody there is here."""
