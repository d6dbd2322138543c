// A new run that begins where another was.

import { postJSON } from "../core/server.js";
import { rememberToken } from "../core/tokens.js";

/** Make a fork of a run and let it train; returns its id. step: null is the newest state, 0 from scratch. */
export async function forkRun(runId, changes, step = null) {
  const { id, token } = await postJSON(`runs/${runId}/fork`, { changes, step });
  rememberToken(id, token);
  return id;
}
