/** Numbers and days as people write them, always with their unit. */
import { language, t } from "./words";

const LOCALE = language === "en" ? "en-GB" : "id-ID";
export const HUB_ZONE = "Asia/Jakarta";

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });

export const number = (value: number): string => whole.format(value);

/** `Rp 26.500`, never broken over two lines */
export const rupiah = (value: number): string => `${value < 0 ? "−" : ""}Rp\u00a0${whole.format(Math.abs(value))}`;

/** `4,8 miliar`, for headlines; with the words that Indonesians count in. */
export function rupiahShort(value: number): [string, string] {
  const size = Math.abs(value);
  if (size >= 1e12) return [`Rp\u00a0${one.format(value / 1e12)}`, t("triliun", "trillion")];
  if (size >= 1e9) return [`Rp\u00a0${one.format(value / 1e9)}`, t("miliar", "billion")];
  if (size >= 1e6) return [`Rp\u00a0${one.format(value / 1e6)}`, t("juta", "million")];
  return [rupiah(value), ""];
}

export const kilograms = (value: number): string => `${whole.format(value)}\u00a0kg`;
export const tonnes = (kg: number): string => `${one.format(kg / 1000)}\u00a0${t("ton", "t")}`;
/** Grams as kilograms with their decimals, as scales show them. */
const exact = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 3 });
export const scale = (grams: number): string => `${exact.format(grams / 1000)}\u00a0kg`;

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

/** kilograms below a tonne, tonnes above */
export const weight = (kg: number): string => (Math.abs(kg) < 1000 ? kilograms(kg) : tonnes(kg));
export const percent = (permille: number): string => `${one.format(permille / 10)}\u00a0%`;

const day = new Intl.DateTimeFormat(LOCALE, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const dayOnly = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", timeZone: "UTC" });
const dayAndYear = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

const midnight = (on: string): Date => new Date(`${on}T00:00:00Z`);
/** A calendar day such as 2026-11-26: `Kam, 26 Nov`. */
export const weekday = (on: string): string => day.format(midnight(on));
export const shortDay = (on: string): string => dayOnly.format(midnight(on));
export const fullDay = (on: string): string => dayAndYear.format(midnight(on));

/** An instant in the hub's zone: `24 Nov, 08.00 WIB`. */
export function instant(at: string): string {
  const date = new Date(at);
  const days = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", timeZone: HUB_ZONE }).format(date);
  const time = new Intl.DateTimeFormat("id-ID", { hour: "2-digit", minute: "2-digit", timeZone: HUB_ZONE }).format(date);
  return `${days}, ${time} WIB`;
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
