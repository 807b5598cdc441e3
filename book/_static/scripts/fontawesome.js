// The theme's script of this name draws its icons as SVG and weighs 1.5 MB a page. The theme's style sheet draws the same
// icons from a font, so this empty file takes the script's place.
