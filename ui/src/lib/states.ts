/** Where things stand, in the words of the trade. */
import { today } from "./format";
import { t } from "./words";

export const STATUS: Record<string, string> = {
  open: t("terbuka", "open"),
  exhausted: t("habis terjual", "sold out"),
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

/** A shipment that should have left and has not. */
export const late = (shipment: { status: string; on: string }): boolean =>
  shipment.status === "loading" && shipment.on < today();
