import { start } from "../lib/start";
import Page from "./Neraca.svelte";

start(Page);
