// A visitor that moves a pointer and clicks the shop's own buttons.
const MOVE_MS = 550;
const PRESS_MS = 120;
const REST_MS = 12_000;

const wait = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));

export async function visit() {
  const pointer = showPointer();
  await wait(1100);
  await click(pointer, "[data-sku='KN-204']");
  await wait(2200);
  await click(pointer, "#show-shipping");
  await wait(600);
  await typeVoucher(pointer, "WINTER15");
  await click(pointer, "#apply-voucher");
  for (;;) {
    await wait(REST_MS);
    await click(pointer, "[data-sku='KN-118']");
  }
}

function showPointer() {
  const pointer = new Image(26, 26);
  pointer.src = "images/pointer.svg";
  pointer.alt = "";
  pointer.className = "pointer";
  pointer.style.transform = "translate(60vw, 70vh)";
  document.body.append(pointer);
  return pointer;
}

async function moveTo(pointer, element) {
  element.scrollIntoView({ block: "nearest" });
  const box = element.getBoundingClientRect();
  pointer.style.transform = `translate(${box.left + box.width / 2}px, ${box.top + box.height / 2}px)`;
  await wait(MOVE_MS);
}

async function click(pointer, selector) {
  const button = document.querySelector(selector);
  await moveTo(pointer, button);
  button.classList.add("pointed", "pressed");
  await wait(PRESS_MS);
  button.classList.remove("pressed", "pointed");
  button.click();
}

async function typeVoucher(pointer, code) {
  const field = document.querySelector("#voucher");
  await moveTo(pointer, field);
  for (const letter of code) {
    field.value += letter;
    await wait(50);
  }
}
