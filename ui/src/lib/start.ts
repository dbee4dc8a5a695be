/** Every page begins here: it takes its place in the frame that the server wrote. */
import "../style.css";
import { mount, type Component } from "svelte";
import Waiting from "./Waiting.svelte";

export function start(page?: Component<never>): void {
  const message = document.getElementById("pesan");
  if (message) mount(Waiting, { target: message });
  const place = document.getElementById("app");
  if (!page || !place) return;
  const addresses = (place.dataset["addresses"] ?? "").split(" ").filter(Boolean);
  place.textContent = "";
  mount(page as Component<{ addresses: string[] }>, { target: place, props: { addresses } });
}
