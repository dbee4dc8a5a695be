/** The hub's API as the pages use it. Types come from openapi.json. */
import type { components } from "../generated/contract";
import { language, t } from "./words";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];
export interface Meta {
  period: { from: string; until: string };
  generated_at: string | null;
}
export interface Dashboard<Row> {
  meta: Meta;
  items: Row[];
}
export interface Listed<Row> {
  items: Row[];
  next: string | null;
}

/** The hub refused; `problem` says why, in the language of the page. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** There was no signal. */
export class Offline extends Error {}

const COPY = "salinan:";

const copies = new WeakMap<object, number>();
/** When the oldest copy was taken among what was read; null where all of it is what the hub says now. */
export function copiedAt(content: readonly unknown[]): number | null {
  const times = content.flatMap((one) => copies.get(one as object) ?? []);
  return times.length ? Math.min(...times) : null;
}

/** Reads an address. Public figures are kept on the device, and read from there when there is no signal. */
export async function get<T>(address: string): Promise<T> {
  const keeps = address.startsWith("/v1/dashboard/");
  const english = keeps && language === "en" ? namesOf("commodities").catch(() => null) : null;
  let answer: Response;
  try {
    answer = await fetch(address, { headers: { "Accept-Language": language } });
  } catch {
    const copy = keeps ? localStorage.getItem(COPY + address) : null;
    if (copy === null) throw new Offline(t("Tidak ada sinyal.", "There is no signal."));
    const { at, body } = JSON.parse(copy) as { at: number; body: T & object };
    copies.set(body, at);
    return body;
  }
  if (!answer.ok) throw new Refused((await answer.json()) as Problem);
  const body = (await answer.json()) as T;
  if (english) rename(body as Dashboard<{ commodity?: string; commodity_name?: string }>, await english);
  if (keeps) keep(COPY + address, JSON.stringify({ at: Date.now(), body }));
  return body;
}

/** Figures come with Indonesian names; an English page has its own. */
function rename(board: Dashboard<{ commodity?: string; commodity_name?: string }>, names: Map<string, string> | null): void {
  for (const row of board.items) {
    const name = names?.get(row.commodity ?? "");
    if (name && row.commodity_name) row.commodity_name = name;
  }
}

/** Reads a list to its end, or to `most` rows. */
export async function all<Row>(address: string, most = 1000): Promise<Row[]> {
  const rows: Row[] = [];
  let next: string | null = address;
  while (next !== null && rows.length < most) {
    const page: Listed<Row> = await get<Listed<Row>>(next);
    rows.push(...page.items);
    next = page.next;
  }
  return rows;
}

/** Changes something; the proof that it comes from our own page is in a cookie that only we can read. */
export async function change<T>(address: string, body: unknown, method = "POST", version?: number): Promise<T> {
  const headers: Record<string, string> = { "Content-Type": "application/json", ...proven(), "Accept-Language": language };
  if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID();
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  let answer: Response;
  try {
    answer = await fetch(address, { method, headers, body: body === null ? null : JSON.stringify(body) });
  } catch {
    throw new Offline(t("Tidak ada sinyal. Coba lagi.", "There is no signal. Try again."));
  }
  if (!answer.ok) throw new Refused((await answer.json()) as Problem);
  return (answer.status === 204 ? null : await answer.json()) as T;
}

export function proven(): Record<string, string> {
  const proof = document.cookie.split("; ").find((cookie) => cookie.startsWith("hub_csrf="));
  return proof ? { "X-CSRF-Token": proof.slice("hub_csrf=".length) } : {};
}

function keep(name: string, content: string): void {
  try {
    localStorage.setItem(name, content);
  } catch {
    // a full or forbidden store only costs the copy
  }
}

/** What changes seldom, read once. */
type Known = { code?: string; id?: string; name: string; name_en?: string; base_unit?: string; unit_weight_g?: number };
const known = new Map<string, Promise<Known[]>>();
/** By code, as far as they were read: for texts that are read in Blitar. */
export const inIndonesian = new Map<string, string>();
function rowsOf(what: string): Promise<Known[]> {
  const rows = known.get(what) ?? all<Known>(`/v1/${what}?limit=200`);
  known.set(what, rows);
  rows.then(
    (found) => found.forEach((row) => inIndonesian.set(row.code ?? "", row.name)),
    () => known.delete(what),
  );
  return rows;
}

/** Names by code, of organisations (for the hub) by id. */
export async function namesOf(what: "regions" | "commodities" | "organizations"): Promise<Map<string, string>> {
  const name = (row: Known): string => (language === "en" ? (row.name_en ?? row.name) : row.name);
  return new Map((await rowsOf(what)).map((row) => [row.code ?? row.id ?? "", name(row)]));
}

/** The base unit of each commodity by its code, and what one weighs in grams. */
export const goodsOf = async (): Promise<Map<string, { unit: string; grams: number }>> =>
  new Map((await rowsOf("commodities")).map((row) => [row.code ?? "", { unit: row.base_unit ?? "", grams: row.unit_weight_g ?? 1000 }]));
