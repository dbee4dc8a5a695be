import { start } from "../lib/start";
import Page from "./Pengiriman.svelte";

start(Page);
