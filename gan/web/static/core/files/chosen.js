// Files that are chosen in a dialog of the browser.

/**
 * From now on take(files) is called with what is chosen, also when the same files are chosen again.
 *
 * @param {HTMLInputElement} input
 * @param {(files: File[]) => void} take
 */
export function takeChosen(input, take) {
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    if (files.length) take(files);
  });
}
