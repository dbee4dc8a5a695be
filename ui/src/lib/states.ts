/** Where things stand, in the words of the trade. */
import { today } from "./format";
import { t } from "./words";

const NAMES: Record<string, [string, string]> = {
  open: ["terbuka", "open"],
  expired: ["lewat waktu", "expired"],
  withdrawn: ["ditarik", "withdrawn"],
  dry_run: ["coba-coba", "dry run"],
  proposed: ["usulan", "proposed"],
  confirmed: ["sepakat", "agreed"],
  declined: ["ditolak", "declined"],
  lapsed: ["lewat waktu", "lapsed"],
  scheduled: ["terjadwal", "scheduled"],
  loading: ["sedang dimuat", "loading"],
  in_transit: ["di jalan", "on the road"],
  arrived: ["tiba", "arrived"],
  delivered: ["tiba", "delivered"],
  settled: ["lunas", "settled"],
  cancelled: ["batal", "cancelled"],
};
/** In the language of the page. */
export const status = (code: string): string => (NAMES[code] ? t(...NAMES[code]) : code);
/** For texts that are read in Blitar. */
export const indonesianStatus = (code: string): string => NAMES[code]?.[0] ?? code;

/** Where a post stands: nothing is left of it once it is all in proposals, sold, or, for a need, covered. */
export function standing(post: { status: string; proposed_quantity: number }, side: "listings" | "demands"): string {
  if (post.status !== "exhausted") return status(post.status);
  if (post.proposed_quantity) return t("dalam usulan", "in proposals");
  return side === "listings" ? t("habis terjual", "sold out") : t("terpenuhi", "covered");
}

/** A shipment that should have left and has not. */
export const late = (shipment: { status: string; on: string }): boolean =>
  shipment.status === "loading" && shipment.on < today();
