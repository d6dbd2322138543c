// Two sliders that change the whole picture: truncation, and how much of a second class is mixed in.

import { h, setText } from "../core/dom.js";
import { fixed, percentOf } from "../core/format.js";
import { t } from "../core/text.js";

export class WholePicture {
  /** hooks: {state(), about(), move(change): change parts of the spec}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    part("psi").addEventListener("input", ({ target }) => {
      hooks.move({ psi: Number(target.value) });
      this.showPsi();
    });
    part("mix").addEventListener("input", ({ target }) => this.mix({ share: Number(target.value) }));
    part("mix-class").addEventListener("change", ({ target: { value } }) =>
      this.mix({ label: value === "" ? null : Number(value) }),
    );
  }

  get spec() {
    return this.hooks.state().spec;
  }

  build() {
    this.showPsi();
    this.showMix();
  }

  showPsi() {
    this.part("psi").value = this.spec.psi;
    setText(this.part("psi-value"), fixed(this.spec.psi));
  }

  /** Which other class, and how much of it. */
  showMix() {
    const { classes, class_names: names } = this.hooks.about();
    const { mix } = this.spec;
    this.part("mix-row").hidden = !classes;
    const [label, share] = mix ?? ["", 0.5];
    const options = names.map((name, k) => h("option", { value: k }, name));
    this.part("mix-class").replaceChildren(h("option", { value: "" }, t("latent.mix_none")), ...options);
    this.part("mix-class").value = label;
    this.part("mix").value = share;
    this.part("mix").disabled = !mix;
    setText(this.part("mix-value"), mix ? percentOf(share) : "");
  }

  mix(change) {
    const [label, share] = this.spec.mix ?? [null, 0.5];
    const next = { label, share, ...change };
    this.hooks.move({ mix: next.label === null ? null : [next.label, next.share] });
    this.showMix();
  }
}
