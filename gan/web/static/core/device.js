// The camera and the microphone: asked for on a click, and let go.

const REFUSED = ["NotAllowedError", "SecurityError"];

/** Why there is none: the browser gives none to this page, somebody said no, or none is there. */
export class NoDevice extends Error {
  /** @param {"insecure" | "refused" | "none"} why */
  constructor(why) {
    super(why);
    this.why = why;
  }
}

/**
 * Throws NoDevice.
 *
 * @param {MediaStreamConstraints} wanted
 */
export async function askFor(wanted) {
  // Browsers give it only to pages that nobody on the way can have changed.
  if (!navigator.mediaDevices?.getUserMedia) throw new NoDevice("insecure");
  try {
    return await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    throw new NoDevice(REFUSED.includes(/** @type {Error} */ (error).name) ? "refused" : "none");
  }
}

/** @param {MediaStream} stream */
export function letGo(stream) {
  for (const track of stream.getTracks()) track.stop();
}
