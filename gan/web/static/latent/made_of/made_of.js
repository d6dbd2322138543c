// The card "What is it made of": the nearest training pictures of the picture on the stage, what D says of it and looked at,
// the same noise in early states of the run, and every layer's feature maps. Nothing is asked for until the card is opened;
// then it follows the picture whenever the hand rests.

import { fitPicture, whenLookChanges } from "../../core/canvas.js";
import { queryOf } from "../../core/query.js";
import { api, jsonOf } from "../../core/server.js";
import { slotOf } from "../../weights/pixels.js";
import { pictureQuery } from "../state.js";
import { Discriminator } from "./discriminator.js";
import { Layers } from "./layers.js";
import { Nearest } from "./nearest.js";
import { Snapshots } from "./snapshots.js";

const AGAIN_MS = 500; // while the server is making something ready
const KEEP_UP_MS = 5000; // between two looks at weights that learn

export class MadeOf {
  /** hooks: {state(), about()} of the tab. */
  constructor(part, hooks) {
    this.part = part;
    this.card = part("made-of");
    this.hooks = hooks;
    this.lookedAt = -Infinity;
    this.sections = null; // made when the card is first opened
    this.waiting = {}; // slot -> the timer after which it is asked again
    this.card.addEventListener("toggle", () => this.follow());
    new ResizeObserver(() => this.layout()).observe(this.card);
    whenLookChanges(() => this.layout());
  }

  /** The picture on the stage is another one, and rests. */
  follow() {
    if (!this.card.open || !this.hooks.about()) return;
    this.lookedAt = performance.now();
    this.sections ??= this.build();
    for (const section of this.sections) section.show();
  }

  /** The weights have learned meanwhile. */
  keepUp() {
    if (performance.now() - this.lookedAt > KEEP_UP_MS) this.follow();
  }

  build() {
    const card = { ask: (...question) => this.ask(...question), layout: () => this.layout() };
    const discriminator = new Discriminator(card, this.part("made-verdict"));
    const nearest = new Nearest(card, this.part("made-nearest"), (row) => discriminator.compare(row));
    this.layers = new Layers(card, this.part("made-layers"), () => this.hooks.about().id);
    return [nearest, discriminator, new Snapshots(card, this.part("made-snapshots")), this.layers];
  }

  layout() {
    for (const canvas of this.card.querySelectorAll("figure canvas, .gf-made-step canvas")) fitted(canvas);
    this.layers?.layout();
  }

  /** What a route of the card says; while it is still making ready, what it does, as {words}, and it is asked again. */
  async ask(route, values, again) {
    const slot = slotOf(`made-${route}-${values.way ?? (values.row === undefined ? "" : "real")}`);
    const query = queryOf({ ...pictureQuery(this.hooks.state()), ...values, slot });
    const response = await api(`made-of/${route}?${query}`);
    clearTimeout(this.waiting[slot]);
    if (response.status === 202) this.waiting[slot] = setTimeout(() => this.card.open && again(), AGAIN_MS);
    return jsonOf(response);
  }
}

/** Whole device pixels, as many as fit into the element around it. */
function fitted(canvas) {
  const room = canvas.parentElement.clientWidth;
  if (room && canvas.width) fitPicture(canvas, canvas.width, room);
}
