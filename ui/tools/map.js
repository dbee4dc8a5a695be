// Cuts the part of the world that the hub trades in out of Natural Earth (world-atlas), projected once, here:
// the page gets outlines to draw and the two numbers that place a city among them.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { geoMercator, geoPath } from "d3-geo";
import { feature } from "topojson-client";

const WEST = 103.4;
const EAST = 120.2;
const SOUTH = -9.6;
const NORTH = 2.2;
const WIDTH = 960;
const INDONESIA = "360";

const world = JSON.parse(readFileSync(createRequire(import.meta.url).resolve("world-atlas/countries-50m.json"), "utf8"));
const countries = feature(world, world.objects.countries).features;

const corners = { type: "MultiPoint", coordinates: [[WEST, SOUTH], [EAST, NORTH]] };
const projection = geoMercator().fitWidth(WIDTH, corners);
const [[, top], [, bottom]] = geoPath(projection).bounds(corners);
const [x, y] = projection.translate();
projection.translate([x, y - top]);
const height = Math.ceil(bottom - top);
projection.clipExtent([[-2, -2], [WIDTH + 2, height + 2]]);
const draw = geoPath(projection).digits(1);

/** Leaves out islands of less than `least` square pixels: they cost more bytes than they show. */
function outline(chosen, least) {
  const lines = [];
  for (const country of chosen) {
    const { type, coordinates } = country.geometry;
    for (const polygon of type === "Polygon" ? [coordinates] : coordinates) {
      const part = { type: "Polygon", coordinates: polygon };
      if (draw.area(part) >= least) lines.push(draw(part) ?? "");
    }
  }
  return lines.join("");
}

const home = outline(countries.filter((country) => country.id === INDONESIA), 1);
const others = outline(countries.filter((country) => country.id !== INDONESIA), 4);
const [left, equator] = projection.translate();
mkdirSync("src/generated", { recursive: true });
writeFileSync(
  "src/generated/map.ts",
  `export const MAP = ${JSON.stringify({ width: WIDTH, height, scale: projection.scale(), left, equator, home, others })};\n`,
);
