/** The bare address: it leads to the first page that the navigation has for who is signed in. */

import { useLayoutEffect } from "../html.js";
import { ROUTES } from "../routes.js";
import { may } from "../service/session.js";
import { navigate } from "../shell/router.js";

export function HomePage() {
  useLayoutEffect(() => {
    const first = ROUTES.find((route) => route.icon && (!route.role || may(route.role)));
    navigate(first?.path ?? "/account", { replace: true });
  }, []);
  return null;
}
