import { start } from "../lib/start";
import Page from "./Peta.svelte";

start(Page);
