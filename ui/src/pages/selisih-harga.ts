import { start } from "../lib/start";
import Page from "./SelisihHarga.svelte";

start(Page);
