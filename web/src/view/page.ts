/** An element of the page, which is there. */
export function at<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no '${id}'`);
  return found as T;
}

/** Makes an element with text in it. */
export function made<K extends keyof HTMLElementTagNameMap>(name: K, text = ""): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

/** Calls back with the value of a group of radio buttons whenever it changes. */
export function onChoice(id: string, chosen: (value: string) => void): void {
  at(id).addEventListener("change", (event) => chosen((event.target as HTMLInputElement).value));
}

/** The value that is chosen in a group of radio buttons. */
export function choiceOf(id: string): string {
  return at(id).querySelector<HTMLInputElement>("input:checked")?.value ?? "";
}

/** Gives a file to the user. */
export function save(name: string, content: Blob): void {
  const link = made("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
