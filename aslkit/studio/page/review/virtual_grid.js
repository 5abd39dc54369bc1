// A grid of any number of items, of which only those in view have elements. It is a listbox with several selections:
// arrow keys move, Shift extends the selection, the space bar toggles one item, Ctrl+A selects all.

const GAP_PX = 8;
const SPARE_ROWS = 2; // rows above and below the view that have elements

export class VirtualGrid {
  #scroller;
  #list;
  #fill;
  #callbacks;
  #items = [];
  #cells = new Map(); // index to element
  #pool = []; // elements that are not in use
  #columns = 1;
  #cell = { width: 160, height: 150 };
  #minWidth;
  #textHeight;
  #selected = new Set(); // keys
  #active = 0; // index of the item with the focus
  #anchor = 0; // index from which Shift extends the selection
  #scheduled = false;
  #resize;

  /**
   * @param scroller element that scrolls; its only child becomes the list.
   * @param callbacks `create()` returns the element of an item, `fill(element, item)` shows an item in it,
   *   `key(item)` identifies it, `label(item)` is its accessible name, `onSelect(keys)`, `onOpen(index)`.
   * @param sizes `minWidth` of a cell and `textHeight` below its 4:3 image, in pixels.
   */
  constructor(scroller, callbacks, { minWidth, textHeight, label }) {
    this.#scroller = scroller;
    this.#callbacks = callbacks;
    this.#fill = callbacks.fill;
    this.#minWidth = minWidth;
    this.#textHeight = textHeight;
    this.#list = scroller.appendChild(document.createElement("div"));
    Object.assign(this.#list, { className: "grid-list", tabIndex: 0, role: "listbox", ariaMultiSelectable: "true", ariaLabel: label });
    scroller.addEventListener("scroll", () => this.#schedule(), { passive: true });
    this.#list.addEventListener("keydown", (event) => this.#keyDown(event));
    this.#list.addEventListener("click", (event) => this.#click(event));
    this.#list.addEventListener("dblclick", (event) => this.#callbacks.onOpen(this.#indexOf(event.target)));
    this.#resize = new ResizeObserver(() => this.#measure());
    this.#resize.observe(scroller);
  }

  close() {
    this.#resize.disconnect();
  }

  get active() {
    return this.#active;
  }

  /** Items that are selected, in order; without a selection, the active one. */
  get selection() {
    const selected = this.#items.filter((item) => this.#selected.has(this.#callbacks.key(item)));
    return selected.length || !this.#items.length ? selected : [this.#items[this.#active]];
  }

  get selectedCount() {
    return this.#selected.size;
  }

  /** Show items. The active item keeps its place in the list; the selection keeps what is still there. */
  show(items, { top = false } = {}) {
    this.#items = items;
    const keys = new Set(items.map(this.#callbacks.key));
    this.#selected = new Set([...this.#selected].filter((key) => keys.has(key)));
    this.#active = top ? 0 : Math.max(0, Math.min(this.#active, items.length - 1));
    this.#anchor = this.#active;
    if (top) this.#scroller.scrollTop = 0;
    this.#measure();
    this.#callbacks.onSelect();
  }

  clearSelection() {
    this.#selected.clear();
    this.redraw();
    this.#callbacks.onSelect();
  }

  selectAll() {
    this.#selected = new Set(this.#items.map(this.#callbacks.key));
    this.redraw();
    this.#callbacks.onSelect();
  }

  /** Show all visible items again, after their content has changed. */
  redraw() {
    for (const [index, element] of this.#cells) this.#draw(index, element);
  }

  focus() {
    this.#list.focus({ preventScroll: true });
  }

  move(index, { extend = false } = {}) {
    if (!this.#items.length) return;
    this.#active = Math.max(0, Math.min(index, this.#items.length - 1));
    if (extend) this.#selectRange();
    else this.#anchor = this.#active;
    this.#scrollTo(this.#active);
    this.#update();
    this.redraw();
  }

  #selectRange() {
    const [from, to] = [Math.min(this.#anchor, this.#active), Math.max(this.#anchor, this.#active)];
    this.#selected = new Set(this.#items.slice(from, to + 1).map(this.#callbacks.key));
    this.#callbacks.onSelect();
  }

  #toggle(index) {
    const key = this.#callbacks.key(this.#items[index]);
    if (!this.#selected.delete(key)) this.#selected.add(key);
    this.#anchor = index;
    this.redraw();
    this.#callbacks.onSelect();
  }

  #measure() {
    const style = getComputedStyle(this.#scroller);
    const width = this.#scroller.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (width <= 0) return;
    this.#columns = Math.max(2, Math.floor((width + GAP_PX) / (this.#minWidth + GAP_PX)));
    const cell = (width - GAP_PX * (this.#columns - 1)) / this.#columns;
    this.#cell = { width: cell, height: cell * 0.75 + this.#textHeight };
    const rows = Math.ceil(this.#items.length / this.#columns);
    this.#list.style.height = `${Math.max(0, rows * (this.#cell.height + GAP_PX) - GAP_PX)}px`;
    for (const element of this.#cells.values()) this.#release(element);
    this.#cells.clear();
    this.#update();
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#update();
    });
  }

  #update() {
    const row = this.#cell.height + GAP_PX;
    const first = Math.max(0, Math.floor(this.#scroller.scrollTop / row) - SPARE_ROWS) * this.#columns;
    const rows = Math.ceil(this.#scroller.clientHeight / row) + 2 * SPARE_ROWS + 1;
    const last = Math.min(this.#items.length, first + rows * this.#columns);
    for (const [index, element] of this.#cells) {
      if (index >= first && index < last) continue;
      this.#release(element);
      this.#cells.delete(index);
    }
    for (let index = first; index < last; index += 1) if (!this.#cells.has(index)) this.#place(index);
    this.#list.setAttribute("aria-activedescendant", this.#cells.has(this.#active) ? `cell-${this.#active}` : "");
  }

  #release(element) {
    element.hidden = true;
    this.#pool.push(element);
  }

  #place(index) {
    let element = this.#pool.pop();
    if (!element) {
      element = this.#callbacks.create();
      element.setAttribute("role", "option");
      this.#list.append(element);
    }
    const [row, column] = [Math.floor(index / this.#columns), index % this.#columns];
    const [x, y] = [column * (this.#cell.width + GAP_PX), row * (this.#cell.height + GAP_PX)];
    Object.assign(element.style, { transform: `translate(${x}px, ${y}px)`, width: `${this.#cell.width}px`, height: `${this.#cell.height}px` });
    element.id = `cell-${index}`;
    element.dataset.index = index;
    element.setAttribute("aria-posinset", index + 1);
    element.setAttribute("aria-setsize", this.#items.length);
    element.hidden = false;
    this.#cells.set(index, element);
    this.#draw(index, element);
  }

  #draw(index, element) {
    const item = this.#items[index];
    this.#fill(element, item);
    element.setAttribute("aria-label", this.#callbacks.label(item));
    element.setAttribute("aria-selected", String(this.#selected.has(this.#callbacks.key(item))));
    element.classList.toggle("active", index === this.#active);
  }

  #scrollTo(index) {
    const row = this.#cell.height + GAP_PX;
    const top = Math.floor(index / this.#columns) * row;
    const { scrollTop, clientHeight } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (top + row > scrollTop + clientHeight) this.#scroller.scrollTop = top + row - clientHeight;
  }

  #indexOf(target) {
    const cell = target.closest("[data-index]");
    return cell ? Number(cell.dataset.index) : -1;
  }

  #click(event) {
    const index = this.#indexOf(event.target);
    if (index < 0) return;
    this.#active = index;
    if (event.shiftKey) {
      this.#selectRange();
      this.redraw();
    } else {
      this.#toggle(index);
    }
    this.#update();
  }

  #keyDown(event) {
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / (this.#cell.height + GAP_PX))) * this.#columns;
    const moves = {
      ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.#columns, ArrowUp: -this.#columns, PageDown: page, PageUp: -page,
      Home: -this.#items.length, End: this.#items.length,
    };
    if (Object.hasOwn(moves, event.key)) this.move(this.#active + moves[event.key], { extend: event.shiftKey });
    else if (event.key === " ") this.#items.length && this.#toggle(this.#active);
    else if (event.key === "Enter") this.#callbacks.onOpen(this.#active);
    else if (event.key === "Escape") this.clearSelection();
    else if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey)) this.selectAll();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
