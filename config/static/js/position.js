// Where a rule goes: what saving does, and the advice of the preview as a choice.
const select = document.getElementById("id_position");
const said = document.getElementById("save-place");

function say() {
  const [label] = select.selectedOptions[0].textContent.split(":");
  said.textContent = `Saves it ${label.charAt(0).toLowerCase()}${label.slice(1)}`;
}

function advised() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-places]");
    if (!button) return;
    event.preventDefault();
    const offered = [...select.options].some(({ value }) => value === button.value);
    if (!offered) select.add(new Option("Above that rule", button.value));
    select.value = button.value;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    select.focus();
  });
}

if (select) {
  select.addEventListener("change", say);
  advised();
}
