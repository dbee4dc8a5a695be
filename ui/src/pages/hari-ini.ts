import { start } from "../lib/start";
import Page from "./HariIni.svelte";

start(Page);
