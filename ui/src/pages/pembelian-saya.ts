import { start } from "../lib/start";
import Page from "./PembelianSaya.svelte";

start(Page);
