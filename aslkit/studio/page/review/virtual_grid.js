// A grid of any number of items, of which only those in view have elements. It is a listbox with several selections:
// arrow keys move, Shift extends the selection, the space bar toggles one item, Ctrl+A selects all.

const GAP_PX = 8;
const SPARE_ROWS = 2; // rows above and below the view that have elements
const CELLS_ACROSS = 11; // cells are enlarged if more would fit next to each other
const FAST_SCREENS_PER_S = 4; // nobody recognises images that pass faster than this
const SETTLE_MS = 100; // time without fast scrolling after which images are shown

export class VirtualGrid {
  #scroller;
  #list;
  #fill;
  #callbacks;
  #items = [];
  #cells = new Map(); // key to element
  #pool = []; // elements that are not in use
  #columns = 1;
  #cell = { width: 160, height: 150 };
  #minWidth;
  #textHeight;
  #selected = new Set(); // keys
  #active = 0; // index of the item with the focus
  #anchor = 0; // index from which Shift extends the selection
  #scheduled = false;
  #scrolled = { top: 0, atMs: 0, fast: false }; // at the last update
  #settleTimer = 0; // 0 unless the list is scrolled fast
  #resize;

  /**
   * @param scroller element that scrolls; its only child becomes the list.
   * @param callbacks `create()` returns the element of an item, `fill(element, item, fast)` shows an
   *   item in it, without its image while the list is scrolled fast, `key(item)` identifies it, `label(item)` is its accessible name, `onSelect(keys)`, `onOpen(index)`.
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
    clearTimeout(this.#settleTimer);
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

  /**
   * Show items, of which the one at the index `active` becomes the active one. The selection keeps what is still there,
   * and the list its position, unless the active item was in view and no longer is, or `top` is true.
   */
  show(items, { top = false, active = this.#active } = {}) {
    const followed = this.#isInView(this.#active);
    this.#items = items;
    const keys = new Set(items.map(this.#callbacks.key));
    this.#selected = new Set([...this.#selected].filter((key) => keys.has(key)));
    this.#active = top ? 0 : Math.max(0, Math.min(active, items.length - 1));
    this.#anchor = this.#active;
    if (top) this.#scroller.scrollTop = 0;
    this.#measure();
    if (followed && !top) this.#scrollTo(this.#active);
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
    for (const element of this.#cells.values()) this.#draw(element);
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
    this.#columns = Math.max(2, Math.floor((width + GAP_PX) / (Math.max(this.#minWidth, width / CELLS_ACROSS) + GAP_PX)));
    const cell = (width - GAP_PX * (this.#columns - 1)) / this.#columns;
    this.#cell = { width: cell, height: cell * 0.75 + this.#textHeight };
    this.#list.style.setProperty("--cell-width", `${this.#cell.width}px`);
    this.#list.style.setProperty("--cell-height", `${this.#cell.height}px`);
    const rows = Math.ceil(this.#items.length / this.#columns);
    this.#list.style.height = `${Math.max(0, rows * (this.#cell.height + GAP_PX) - GAP_PX)}px`;
    this.#update();
    this.redraw();
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#watchSpeed();
      this.#update();
    });
  }

  /** Notice fast scrolling. A single jump, such as by the key Page Down, is none. */
  #watchSpeed() {
    const { scrollTop, clientHeight } = this.#scroller;
    const { top, atMs, fast } = this.#scrolled;
    const now = performance.now();
    const screensPerS = Math.abs(scrollTop - top) / clientHeight / (Math.max(now - atMs, 50) / 1000);
    this.#scrolled = { top: scrollTop, atMs: now, fast: screensPerS > FAST_SCREENS_PER_S };
    if (!fast || !this.#scrolled.fast) return;
    clearTimeout(this.#settleTimer);
    this.#settleTimer = setTimeout(() => {
      this.#settleTimer = 0;
      this.redraw();
    }, SETTLE_MS);
  }

  /** Give the items in view, and the active one, an element each. */
  #update() {
    const row = this.#cell.height + GAP_PX;
    const { scrollTop, clientHeight } = this.#scroller;
    const first = Math.max(0, Math.floor(scrollTop / row) - SPARE_ROWS) * this.#columns;
    const last = Math.min(this.#items.length, (Math.ceil((scrollTop + clientHeight) / row) + SPARE_ROWS) * this.#columns);
    const needed = new Map();
    for (let index = first; index < last; index += 1) needed.set(this.#callbacks.key(this.#items[index]), index);
    const active = this.#items[this.#active];
    if (active) needed.set(this.#callbacks.key(active), this.#active);
    for (const [key, element] of this.#cells) if (!needed.has(key)) this.#release(key, element);
    for (const [key, index] of needed) this.#place(key, index);
    if (active) this.#list.setAttribute("aria-activedescendant", `cell-${this.#active}`);
    else this.#list.removeAttribute("aria-activedescendant");
  }

  #release(key, element) {
    element.hidden = true;
    element.removeAttribute("id");
    this.#cells.delete(key);
    this.#pool.push(element);
  }

  #place(key, index) {
    const { width, height } = this.#cell;
    const [row, column] = [Math.floor(index / this.#columns), index % this.#columns];
    const place = `translate(${column * (width + GAP_PX)}px, ${row * (height + GAP_PX)}px)`;
    const shown = this.#cells.get(key);
    const id = `cell-${index}`;
    if (shown?.id === id && shown.style.transform === place) return;
    const element = shown ?? this.#pool.pop() ?? this.#create();
    this.#cells.set(key, element);
    Object.assign(element, { id, hidden: false });
    element.style.transform = place;
    element.dataset.index = index;
    this.#draw(element);
  }

  #create() {
    const element = this.#callbacks.create();
    element.setAttribute("role", "option");
    this.#list.append(element);
    return element;
  }

  #draw(element) {
    const index = Number(element.dataset.index);
    const item = this.#items[index];
    this.#fill(element, item, this.#settleTimer > 0);
    element.setAttribute("aria-label", this.#callbacks.label(item));
    element.setAttribute("aria-posinset", index + 1);
    element.setAttribute("aria-setsize", this.#items.length);
    element.setAttribute("aria-selected", String(this.#selected.has(this.#callbacks.key(item))));
    element.classList.toggle("active", index === this.#active);
  }

  #isInView(index) {
    const row = this.#cell.height + GAP_PX;
    const top = Math.floor(index / this.#columns) * row;
    const { scrollTop, clientHeight } = this.#scroller;
    return top + row > scrollTop && top < scrollTop + clientHeight;
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
