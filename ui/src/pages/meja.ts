import { start } from "../lib/start";
import Page from "./Meja.svelte";

start(Page);
