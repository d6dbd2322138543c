// Measures the page as it lies in the window: what is outside, cut, over something else, and how large the largest empty
// place is. test_layout.py puts it into its pages; what is drawn on a canvas is written down as it is drawn.

window.gfLayout = (() => {
  const drawn = new WeakMap(); // canvas -> what was written on it: [{text, x, y, w, h}] in its own pixels
  const written = (canvas) => drawn.get(canvas) ?? [];
  const { clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.clearRect = function (x, y, w, h) {
    if (x === 0 && y === 0) drawn.delete(this.canvas); // our canvases are cleared as a whole before they are drawn
    return clearRect.call(this, x, y, w, h);
  };
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...more) {
    const size = this.measureText(text);
    const here = this.getTransform();
    const corners = [
      [x - size.actualBoundingBoxLeft, y - size.actualBoundingBoxAscent],
      [x + size.actualBoundingBoxRight, y + size.actualBoundingBoxDescent],
    ].map(([px, py]) => here.transformPoint({ x: px, y: py }));
    const [xs, ys] = [corners.map((c) => c.x), corners.map((c) => c.y)];
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    const there = { x: left, y: top, w: Math.max(...xs) - left, h: Math.max(...ys) - top };
    drawn.set(this.canvas, [...written(this.canvas), { text: String(text), ...there }]);
    return fillText.call(this, text, x, y, ...more);
  };

  const CONTROLS = "a[href], button, input, select, summary, textarea";
  const THINGS = 'canvas, img, svg, video, progress, [role="progressbar"]';

  const box = ({ left, top, right, bottom }) => ({ x: left, y: top, w: right - left, h: bottom - top });
  const overlap = (a, b) =>
    Math.max(0, Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x)) *
    Math.max(0, Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y));
  const isShown = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });

  function cutBy(inner, outer, hides) {
    const left = hides.x ? Math.max(inner.x, outer.x) : inner.x;
    const top = hides.y ? Math.max(inner.y, outer.y) : inner.y;
    const right = hides.x ? Math.min(inner.x + inner.w, outer.x + outer.w) : inner.x + inner.w;
    const bottom = hides.y ? Math.min(inner.y + inner.h, outer.y + outer.h) : inner.y + inner.h;
    return { x: left, y: top, w: Math.max(0, right - left), h: Math.max(0, bottom - top) };
  }

  /** What is left to see of a box inside its ancestors, and whether one of them that cannot be scrolled cuts it. */
  function inside(element, rect) {
    let [shown, cut] = [rect, false];
    for (let outer = element; outer && outer !== document.documentElement; outer = outer.parentElement) {
      const style = getComputedStyle(outer);
      const hides = { x: style.overflowX !== "visible", y: style.overflowY !== "visible" };
      if (outer !== document.body && (hides.x || hides.y) && style.display !== "inline") {
        const frame = box(outer.getBoundingClientRect());
        const next = cutBy(shown, frame, hides);
        const scrolls = { x: /auto|scroll/.test(style.overflowX), y: /auto|scroll/.test(style.overflowY) };
        if (shown.w - next.w > 1 && !scrolls.x) cut = true;
        if (shown.h - next.h > 3 && !scrolls.y) cut = true; // a line's box is higher than its letters
        shown = next;
      }
      if (style.position === "fixed") break;
    }
    return { shown, cut };
  }

  const isFixed = (element) => {
    for (let e = element; e; e = e.parentElement) if (getComputedStyle(e).position === "fixed") return true;
    return false;
  };

  /** Everything that can be read or pressed: {kind, name, element, rect (what is to be seen of it), cut}. */
  function pieces() {
    const found = [];
    const add = (kind, name, element, rect) => {
      const { shown, cut } = inside(kind === "text" ? element : element.parentElement, rect);
      if (cut || (shown.w > 1 && shown.h > 1)) found.push({ kind, name, element, rect: shown, cut, fixed: isFixed(element) });
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { textContent, parentElement } = walker.currentNode;
      const text = textContent.trim().replace(/\s+/g, " ");
      if (!text || parentElement.closest("script, style, noscript, option, textarea") || !isShown(parentElement)) continue;
      const range = document.createRange();
      range.selectNodeContents(walker.currentNode);
      for (const rect of range.getClientRects()) if (rect.width > 1) add("text", text.slice(0, 50), parentElement, box(rect));
    }
    for (const element of document.querySelectorAll(`${CONTROLS}, ${THINGS}`)) {
      if (!isShown(element) || element.parentElement.closest("svg") || element.type === "file") continue;
      const name = element.getAttribute("aria-label") || element.textContent.trim() || element.dataset.gf || element.className;
      add(
        element.matches(THINGS) ? "thing" : "control",
        `${element.tagName} ${String(name).slice(0, 40)}`,
        element,
        box(element.getBoundingClientRect()),
      );
    }
    return found;
  }

  /** Words in a field or a menu that are longer than it is. */
  function cutFields() {
    const ruler = document.createElement("canvas").getContext("2d");
    const tooLong = (field) => {
      if (field.tagName === "INPUT") return field.scrollWidth > field.clientWidth + 1;
      const style = getComputedStyle(field);
      ruler.font = style.font;
      const room = field.clientWidth - parseFloat(style.paddingLeft) - 20; // the arrow
      return ruler.measureText(field.selectedOptions[0]?.textContent ?? "").width > room + 1;
    };
    const fields = document.querySelectorAll("select, input:not([type]), input[type=text], input[type=number]");
    return [...fields]
      .filter((field) => isShown(field) && tooLong(field))
      .map((field) => `cut field: ${field.id || field.dataset.gf} ${field.value}`);
  }

  function cutDrawings() {
    const faults = [];
    for (const canvas of document.querySelectorAll("canvas")) {
      if (!isShown(canvas)) continue;
      const words = written(canvas);
      for (const [i, word] of words.entries()) {
        if (
          word.text.endsWith("…") ||
          word.x < -1 ||
          word.y < -1 ||
          word.x + word.w > canvas.width + 1 ||
          word.y + word.h > canvas.height + 1
        )
          faults.push(`cut on the canvas ${canvas.dataset.gf}: ${word.text}`);
        for (const other of words.slice(0, i))
          if (overlap(word, other) > 4)
            faults.push(`one over the other on the canvas ${canvas.dataset.gf}: ${word.text}, ${other.text}`);
      }
    }
    return faults;
  }

  function overlaps(all) {
    const faults = [];
    const related = (a, b) =>
      a.element.contains(b.element) || b.element.contains(a.element) || sameLabel(a, b) || sameFormula(a, b);
    const sameFormula = (a, b) => a.element.closest("math") && a.element.closest("math") === b.element.closest("math");
    const sameLabel = (a, b) => a.element.closest("label") && a.element.closest("label") === b.element.closest("label");
    const flat = all.filter(({ kind, fixed }) => kind !== "thing" && !fixed);
    flat.forEach((a, i) => {
      for (const b of flat.slice(i + 1)) {
        if (b.rect.y > a.rect.y + a.rect.h + 200) continue;
        const both = overlap(a.rect, b.rect);
        if (both > 6 && !related(a, b)) faults.push(`one over the other: ${a.name} | ${b.name}`);
      }
    });
    return faults;
  }

  /** Area of the largest empty rectangle of the open tab on the first screen, as a share of the window. */
  function emptiest(all) {
    const cell = 16;
    const panel = [...document.querySelectorAll("[role=tabpanel]")].find(isShown).getBoundingClientRect();
    const [left, top] = [Math.max(0, panel.left), Math.max(0, panel.top)];
    const columns = Math.floor((Math.min(innerWidth, panel.right) - left) / cell);
    const rows = Math.floor((Math.min(innerHeight, panel.bottom) - top) / cell);
    const used = Array.from({ length: rows }, () => new Uint8Array(columns));
    for (const { rect } of all) {
      const [x0, x1] = [Math.floor((rect.x - left) / cell), Math.ceil((rect.x + rect.w - left) / cell)];
      const [y0, y1] = [Math.floor((rect.y - top) / cell), Math.ceil((rect.y + rect.h - top) / cell)];
      for (let y = Math.max(0, y0); y < Math.min(rows, y1); y++)
        used[y].fill(1, Math.max(0, x0), Math.max(0, Math.min(columns, x1)));
    }
    let best = 0;
    const depth = new Array(columns).fill(0);
    for (const row of used) {
      row.forEach((taken, x) => (depth[x] = taken ? 0 : depth[x] + 1));
      for (let x = 0; x < columns; x++)
        for (let height = depth[x], end = x; end < columns && depth[end]; end++) {
          height = Math.min(height, depth[end]);
          best = Math.max(best, height * (end - x + 1));
        }
    }
    return (best * cell * cell) / (innerWidth * innerHeight);
  }

  const partAndArea = ({ name, element, rect }) => [element.dataset.gf ?? name, rect.w * rect.h];

  return {
    /** Resolves when nothing has moved for a few frames. */
    async settled() {
      const parts = () => [...document.querySelectorAll("canvas, button, input, select, p, h2, h3, dt, dd, summary, svg")];
      const places = () => JSON.stringify(parts().map((part) => part.getBoundingClientRect()));
      const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      for (let before = "", same = 0; same < 2; ) {
        const now = places();
        same = now === before ? same + 1 : 0;
        before = now;
        await frame();
      }
    },

    faults() {
      const all = pieces();
      const outside = all.filter(({ rect }) => rect.x < -1 || rect.x + rect.w > innerWidth + 1);
      const wide = document.documentElement.scrollWidth;
      return [
        ...(wide > innerWidth ? [`the page is ${wide} px wide`] : []),
        ...outside.map(({ name }) => `outside: ${name}`),
        ...all.filter(({ cut, kind }) => cut && kind !== "thing").map(({ name }) => `cut: ${name}`),
        ...cutFields(),
        ...cutDrawings(),
        ...overlaps(all),
      ];
    },

    empty: () => emptiest(pieces()),

    /** [part or name, area] of the largest canvas, picture or drawing. */
    largest: () =>
      pieces()
        .filter(({ kind }) => kind === "thing")
        .map(partAndArea)
        .sort((a, b) => b[1] - a[1])[0] ?? ["nothing", 0],
  };
})();
