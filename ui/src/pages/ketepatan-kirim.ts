import { start } from "../lib/start";
import Page from "./KetepatanKirim.svelte";

start(Page);
