/** The clinics that the session has follow the changes: a new one, another name, one that was closed. */

import { computed, effect, untracked } from "../html.js";
import { get } from "./api.js";
import { known } from "./events.js";
import { live } from "./live.js";
import { clinics, session } from "./session.js";

/** Once the stream of events tells versions; until then they are those that came with the session. */
const follower = computed(() => (known.value.size ? session.value?.user : null));

effect(() => {
  const user = follower.value;
  if (!user) return undefined;
  return untracked(() => {
    const query = { include_inactive: user.role === "superuser" };
    const list = live(["clinics"], (sent) => get("/v1/clinics", { ...sent, query }));
    const end = effect(() => {
      if (list.answer.value) clinics.value = list.answer.value.body.items;
    });
    return () => {
      end();
      list.stop();
    };
  });
});
