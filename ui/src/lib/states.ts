/** Where things stand, in the words of the trade. */
import { today } from "./format";
import { t } from "./words";

export const STATUS: Record<string, string> = {
  open: t("terbuka", "open"),
  expired: t("lewat waktu", "expired"),
  withdrawn: t("ditarik", "withdrawn"),
  dry_run: t("coba-coba", "dry run"),
  proposed: t("usulan", "proposed"),
  confirmed: t("sepakat", "agreed"),
  declined: t("ditolak", "declined"),
  lapsed: t("lewat waktu", "lapsed"),
  scheduled: t("terjadwal", "scheduled"),
  loading: t("sedang dimuat", "loading"),
  in_transit: t("di jalan", "on the road"),
  arrived: t("tiba", "arrived"),
  delivered: t("tiba", "delivered"),
  settled: t("lunas", "settled"),
  cancelled: t("batal", "cancelled"),
};

/** Where a post stands: nothing is left of it once it is all in proposals, sold, or, for a need, covered. */
export function standing(post: { status: string; proposed_quantity: number }, side: "listings" | "demands"): string {
  if (post.status !== "exhausted") return STATUS[post.status] ?? post.status;
  if (post.proposed_quantity) return t("dalam usulan", "in proposals");
  return side === "listings" ? t("habis terjual", "sold out") : t("terpenuhi", "covered");
}

/** A shipment that should have left and has not. */
export const late = (shipment: { status: string; on: string }): boolean =>
  shipment.status === "loading" && shipment.on < today();
