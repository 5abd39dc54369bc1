// The most probable letters of a frame, with a bar for each.

/** Show letters with their probabilities. Elements are reused, because they change with every frame. */
export function showTopLetters(list, topLetters) {
  while (list.children.length < topLetters.length) {
    const item = document.createElement("li");
    const bar = Object.assign(document.createElement("progress"), { max: 1 });
    bar.setAttribute("aria-hidden", "true");
    item.append(document.createElement("b"), bar, document.createElement("span"));
    list.append(item);
  }
  while (list.children.length > topLetters.length) list.lastChild.remove();
  topLetters.forEach(([letter, probability], index) => {
    const [name, bar, percent] = list.children[index].children;
    name.textContent = letter;
    bar.value = probability;
    percent.textContent = `${Math.round(probability * 100)} %`;
  });
}
