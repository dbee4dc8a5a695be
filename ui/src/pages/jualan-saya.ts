import { start } from "../lib/start";
import Page from "./JualanSaya.svelte";

start(Page);
