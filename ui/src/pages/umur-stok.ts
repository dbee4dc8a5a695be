import { start } from "../lib/start";
import Page from "./UmurStok.svelte";

start(Page);
