/** Ready texts, in Indonesian whatever the language of the page: they are read in Blitar. */

/** Returns the address that opens WhatsApp with a text, for a telephone or to choose whom. */
export function shareLink(text: string, telephone: string | null = null): string {
  const digits = (telephone ?? "").replace(/\D/g, "").replace(/^0/, "62");
  return `https://wa.me/${digits}?text=${encodeURIComponent(text)}`;
}
