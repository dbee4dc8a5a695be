/** Numbers and days as people write them, always with their unit. */
import { language } from "./words";

export const HUB_ZONE = "Asia/Jakarta";
/** A number and its unit stay on one line. */
const BOUND = "\u00a0";

const midnight = (on: string): Date => new Date(`${on}T00:00:00Z`);

function formats(spoken: "id" | "en") {
  const locale = spoken === "en" ? "en-GB" : "id-ID";
  const say = (indonesian: string, english: string): string => (spoken === "en" ? english : indonesian);
  const numbers = (decimals: number) => new Intl.NumberFormat(locale, { maximumFractionDigits: decimals });
  const days = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC", ...options });
  const [whole, one, exact] = [numbers(0), numbers(1), numbers(3)];
  const [day, dayOnly, dayAndYear] = [days({ weekday: "short" }), days({}), days({ year: "numeric" })];
  
  const number = (value: number): string => whole.format(value);
  /** `Rp 26.500` */
  const rupiah = (value: number): string => `${value < 0 ? "−" : ""}Rp${BOUND}${whole.format(Math.abs(value))}`;
  /** `4,8 miliar`, for headlines; with the words that Indonesians count in. */
  function rupiahShort(value: number): [string, string] {
    const size = Math.abs(value);
    if (size >= 1e12) return [`Rp${BOUND}${one.format(value / 1e12)}`, say("triliun", "trillion")];
    if (size >= 1e9) return [`Rp${BOUND}${one.format(value / 1e9)}`, say("miliar", "billion")];
    if (size >= 1e6) return [`Rp${BOUND}${one.format(value / 1e6)}`, say("juta", "million")];
    return [rupiah(value), ""];
  }
  const kilograms = (value: number): string => `${whole.format(value)}${BOUND}kg`;
  const tonnes = (kg: number): string => `${one.format(kg / 1000)}${BOUND}${say("ton", "t")}`;
  /** kilograms below a tonne, tonnes above */
  const weight = (kg: number): string => (Math.abs(kg) < 1000 ? kilograms(kg) : tonnes(kg));
  /** grams as scales show them: kilograms with their decimals */
  const scale = (grams: number): string => `${exact.format(grams / 1000)}${BOUND}kg`;
  const percent = (permille: number): string => `${one.format(permille / 10)}${BOUND}%`;
  /** a calendar day such as 2026-11-26: `Kam, 26 Nov` */
  const weekday = (on: string): string => day.format(midnight(on));
  const shortDay = (on: string): string => dayOnly.format(midnight(on));
  const fullDay = (on: string): string => dayAndYear.format(midnight(on));
  /** an instant in the hub's zone: `24 Nov, 08.00 WIB` */
  function instant(at: string): string {
    const date = new Date(at);
    const time = new Intl.DateTimeFormat("id-ID", { hour: "2-digit", minute: "2-digit", timeZone: HUB_ZONE }).format(date);
    return `${days({ timeZone: HUB_ZONE }).format(date)}, ${time} WIB`;
  }
  return { number, rupiah, rupiahShort, kilograms, tonnes, weight, scale, percent, weekday, shortDay, fullDay, instant };
}

/** In the language of the page. */
export const { number, rupiah, rupiahShort, kilograms, tonnes, weight, scale, percent, weekday, shortDay, fullDay, instant } = formats(language);
/** For texts that are read in Blitar, whatever the language of the page. */
export const indonesian = formats("id");

/** A number as it is typed into a field, read again by `numberOf`: the same in both languages. */
const fielded = new Intl.NumberFormat("id-ID", { maximumFractionDigits: 3 });
export const typed = (value: number): string => fielded.format(value);

/** Reads a number as people write it: `1.250` is 1250, `2,5` has a decimal, `Rp 26.500` is money; NaN when it is none. */
export function numberOf(text: string): number {
  const match = /^(?:rp\.?)?(\d[\d.]*)(?:,(\d+))?$/i.exec(text.replaceAll(/\s/g, ""));
  if (!match) return NaN;
  const [, before = "", decimals] = match;
  const [first = "", ...groups] = before.split(".");
  if (groups.every((group) => group.length === 3)) return Number(`${first}${groups.join("")}.${decimals ?? 0}`);
  return decimals === undefined && groups.length === 1 && groups[0] ? Number(before) : NaN;
}

/** The hub's today, by the server's clock. */
export const today = (): string =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: HUB_ZONE }).format(new Date(frame().now));

/** Returns the day so many days later. */
export function daysLater(on: string, days: number): string {
  const date = midnight(on);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** What the server says about this page: its clock and who is signed in. */
export function frame(): { now: string; role: string; organization: string; region: string } {
  const { now = "", role = "", organization = "", region = "" } = document.getElementById("isi")?.dataset ?? {};
  return { now, role, organization, region };
}
