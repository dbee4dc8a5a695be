import { start } from "../lib/start";
import Page from "./Harga.svelte";

start(Page);
