/**
 * What script adds to the forms of Jual and Beli, which work without it: the last price beside the field, the landed
 * price ladder while typing, and a post that outlives a lost signal.
 */
import { get, type Dashboard, type Schemas } from "./api";
import { frame, indonesian, numberOf } from "./format";
import { dropPost, keepPost, reason, send } from "./queue";
import { t } from "./words";

/** In a form figures are written as they are typed: the Indonesian way in both languages. */
const { number, rupiah } = indonesian;
const PAUSE = 400;

export function helpPosting(): void {
  const form = document.getElementById("pasang");
  if (!(form instanceof HTMLFormElement)) return;
  const data = (): URLSearchParams => new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void post(form, data());
  });
  namePriceUnit(form);
  showZone(form);
  void tellPrices(form, data);
}

/** Keeps the post first and sends it then: whatever happens in between, it is not lost. */
async function post(form: HTMLFormElement, fields: URLSearchParams): Promise<void> {
  const button = form.querySelector<HTMLButtonElement>("button.big");
  if (button) button.disabled = true;
  const key = fields.get("key") ?? crypto.randomUUID();
  // the proof goes in a header: a post that waits is sent with that of a later session
  fields.delete("csrf");
  const name = form.querySelector(".chosen strong")?.textContent ?? "";
  const label = `${name} ${fields.get("quantity") ?? ""} ${fields.get("unit") ?? ""}`;
  const waits = { key, organization: frame().organization, path: form.getAttribute("action") ?? "", body: fields.toString(), label };
  keepPost(waits);
  const outcome = await send(waits);
  if (outcome === "waits") {
    form.replaceChildren(note(t("Belum ada sinyal. Sudah disimpan di telepon ini dan dikirim sendiri begitu ada sinyal.", "No signal. It is kept on this phone and sent by itself as soon as there is one.")));
    return;
  }
  if (outcome === "signed out") {
    // what waits, and where to sign in, stands above
    form.replaceChildren(note(t("Anda sudah keluar. Pasangan ini disimpan di telepon ini.", "You are signed out. This post is kept on this phone.")));
    return;
  }
  if ("location" in outcome) {
    location.assign(outcome.location);
    return;
  }
  dropPost(key);
  if (button) button.disabled = false;
  for (const old of form.querySelectorAll(".wrong")) old.remove();
  for (const error of outcome.problem.errors.length ? outcome.problem.errors : [{ pointer: "", detail: reason(outcome.problem) }]) {
    const field = form.querySelector<HTMLElement>(`[name="${CSS.escape(error.pointer.replace("/", ""))}"]:not([type=hidden])`);
    const told = note(error.detail);
    told.className = "wrong";
    told.setAttribute("role", "alert");
    field?.setAttribute("aria-invalid", "true");
    (field?.parentElement ?? form).append(told);
    field?.focus();
  }
}

function note(text: string): HTMLElement {
  const told = document.createElement("p");
  told.className = "note";
  told.textContent = text;
  return told;
}

/** Says per what the price is, as the unit changes. */
function namePriceUnit(form: HTMLFormElement): void {
  const unit = form.querySelector<HTMLSelectElement>("#unit");
  const help = form.querySelector<HTMLElement>("#price-help");
  if (!unit || !help) return;
  const tell = (): void => {
    const option = unit.selectedOptions[0];
    const per = option?.dataset["fixed"] ? help.dataset["baseUnit"] : option?.textContent;
    help.textContent = t(`Harga per ${per ?? ""}.`, `Price per ${per ?? ""}.`);
  };
  unit.addEventListener("change", tell);
  tell();
}

/** Shows the hub only the prices that the state set where the chosen party is. */
function showZone(form: HTMLFormElement): void {
  const party = form.querySelector<HTMLSelectElement>("#organization");
  if (!party) return;
  const show = (): void => {
    for (const line of form.querySelectorAll<HTMLElement>("li[data-zone]")) line.hidden = line.dataset["zone"] !== party.selectedOptions[0]?.dataset["zone"];
  };
  party.addEventListener("change", show);
  show();
}

async function tellPrices(form: HTMLFormElement, data: () => URLSearchParams): Promise<void> {
  const place = document.getElementById("bantuan");
  const commodity = form.dataset["commodity"] ?? "";
  if (!place) return;
  const sells = form.dataset["price"] === "price_idr";
  const lines = document.createElement("ul");
  lines.className = "references";
  place.append(lines);
  const show = (texts: string[]): void => lines.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  try {
    if (sells) {
      const prices = await get<Dashboard<Schemas["PriceRow"]>>(`/v1/dashboard/prices?commodity=${commodity}`);
      const last = prices.items.at(-1);
      if (last) show([t(`Pencocokan terakhir (${last.grade}): produsen ${rupiah(last.producer_idr)}.`, `Last clearing (${last.grade}): producer ${rupiah(last.producer_idr)}.`)]);
      return;
    }
    let timer = 0;
    const quote = async (): Promise<void> => {
      const fields = data();
      const option = form.querySelector<HTMLSelectElement>("#unit")?.selectedOptions[0];
      const quantity = Math.floor(numberOf(fields.get("quantity") ?? "") * Number(option?.dataset["base"] ?? 1));
      if (!(quantity >= 1)) return;
      const asked = new URLSearchParams({ commodity, min_grade: fields.get("min_grade") ?? "", quantity: String(Math.min(quantity, 1e9)) });
      // the hub asks for the city of the buyer that it posts for
      const region = form.querySelector<HTMLSelectElement>("#organization")?.selectedOptions[0]?.dataset["region"];
      if (region) asked.set("region", region);
      const answer = await get<Schemas["QuoteAnswer"]>(`/v1/quotes?${asked}`);
      const enough = answer.available_quantity >= quantity;
      show([
        ...answer.items.map((rung) => t(`sampai ${number(rung.cumulative_quantity)} ${answer.unit}: ${rupiah(rung.landed_price_idr)}/${answer.unit}`, `up to ${number(rung.cumulative_quantity)} ${answer.unit}: ${rupiah(rung.landed_price_idr)}/${answer.unit}`)),
        enough ? t("Cukup untuk jumlah ini saat ini.", "Enough for this quantity now.") : t(`Saat ini baru ada ${number(answer.available_quantity)} ${answer.unit}.`, `Only ${number(answer.available_quantity)} ${answer.unit} now.`),
      ]);
    };
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => void quote().catch(() => show([])), PAUSE);
    });
  } catch {
    show([]);
  }
}
