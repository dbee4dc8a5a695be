/** Indonesian first, English beside it: the server says which one the page is in. */
export const language = document.documentElement.lang === "en" ? "en" : "id";

/** Returns the sentence in the language of the page. */
export const t = (indonesian: string, english: string): string => (language === "en" ? english : indonesian);
