//! Whole maps: their size and the colours at places that are known.

use super::*;
use crate::{Coordinate, CoordinateValues};

/// Values by longitude and latitude on a grid, north first.
fn field(
    (west, south, east, north): (f64, f64, f64, f64),
    step: f64,
    value: impl Fn(f64, f64) -> f32,
) -> Field {
    let axis = |low: f64, high: f64| -> Vec<f64> {
        let mut values = Vec::new();
        let mut next = low;
        while next <= high + 1e-9 {
            values.push(next);
            next += step;
        }
        values
    };
    let longitude = axis(west, east);
    let latitude: Vec<f64> = axis(south, north).into_iter().rev().collect();
    let mut values = Vec::new();
    for &y in &latitude {
        values.extend(longitude.iter().map(|&x| value(x, y)));
    }
    Field::new("tp", [("latitude", latitude.len()), ("longitude", longitude.len())], values)
        .and_then(|f| {
            f.with_coordinate(Coordinate::axis("latitude", CoordinateValues::Float64(latitude)))
        })
        .and_then(|f| {
            f.with_coordinate(Coordinate::axis("longitude", CoordinateValues::Float64(longitude)))
        })
        .unwrap()
}

const EAST_AFRICA: (f64, f64, f64, f64) = (21.0, -12.0, 53.0, 23.0);

/// A map drawn once, to look at many places of it.
struct Drawn {
    canvas: Canvas,
    page: Page,
}

impl Drawn {
    fn new(map: &Map<'_>) -> Self {
        let font = Font::new().unwrap();
        let range = map.grid.range().map(|(low, high)| (low.into(), high.into()));
        let scale = map.style.palette.scale(range);
        let bar = range.map(|_| ColourBar::new(&scale, &map.style.units, map.side()));
        let header = map.header(&font, f32::INFINITY).height();
        let header = if header > 0.0 { header + 8.0 } else { header };
        let page = Page::new(&map.grid, &font, bar.as_ref(), map.side(), header);
        Self { canvas: map.draw().unwrap(), page }
    }

    fn pixel_of(&self, longitude: f64, latitude: f64) -> (u32, u32) {
        let Page { left, top, frame, .. } = self.page;
        (left + whole(frame.x(longitude)), top + whole(frame.y(latitude)))
    }

    fn colour(&self, longitude: f64, latitude: f64) -> Rgb {
        let (x, y) = self.pixel_of(longitude, latitude);
        self.canvas.pixel(x, y)
    }

    fn ink_near(&self, longitude: f64, latitude: f64) -> bool {
        let (x, y) = self.pixel_of(longitude, latitude);
        let around = (x - 6..x + 6).flat_map(|x| (y - 6..y + 6).map(move |y| (x, y)));
        around.into_iter().any(|(x, y)| self.canvas.pixel(x, y).0 < 110)
    }
}

/// The colour that the rain palette has for an amount.
fn rain_colour(millimetres: f32) -> Rgb {
    let scale = Palette::rainfall().scale(None);
    scale.colours[scale.class(millimetres)]
}

#[test]
fn rain_has_the_colours_of_its_classes_between_coasts_and_borders() {
    // Rain east of 37°E only, 6 mm in the north and 60 mm in the south.
    let rain = field(EAST_AFRICA, 0.25, |x, y| match (x > 37.0, y > 5.0) {
        (false, _) => 0.2,
        (true, true) => 6.0,
        (true, false) => 60.0,
    });
    let region = Some("21,-12,53,23".parse().unwrap());
    let map = Map::new(&rain, region).unwrap().palette(Palette::rainfall()).units("mm");
    let map = Drawn::new(&map);
    // Away from borders, lakes and the lines at 5 and 10 degrees.
    assert_eq!(map.colour(28.3, 18.2), Rgb::WHITE);
    assert_eq!(map.colour(42.2, 7.3), rain_colour(6.0));
    assert_eq!(map.colour(48.3, -6.8), rain_colour(60.0));
    assert_eq!(map.canvas.width().max(map.canvas.height()), LONG_SIDE);
    assert!(map.canvas.width() > 900, "{}", map.canvas.width());

    assert!(map.ink_near(51.25, 11.85), "Cape Guardafui");
    assert!(map.ink_near(36.0, -2.15), "the border of Kenya and Tanzania");
    assert!(map.ink_near(34.75, -0.1), "Lake Victoria at Kisumu");
    assert!(map.ink_near(29.4, -5.5), "Lake Tanganyika");
    assert!(!map.ink_near(28.3, 18.2), "the Nubian desert");
}

#[test]
fn nothing_but_missing_values() {
    let empty = field(EAST_AFRICA, 1.0, |_, _| f32::NAN);
    let map = Drawn::new(&Map::new(&empty, None).unwrap());
    assert!([0, 1, 2].map(|x| hatch(x, 0)).contains(&map.colour(28.3, 18.2)));
    assert_eq!(map.colour(37.0, 4.9), Rgb::WHITE, "the box with the words");
}

#[test]
fn sizes_of_extreme_regions() {
    let size = |extent: (f64, f64, f64, f64), step: f64| {
        let field = field(extent, step, |x, _| narrow(x));
        let canvas = Map::new(&field, None).unwrap().draw().unwrap();
        (canvas.width(), canvas.height())
    };
    assert_eq!(size((-180.0, -90.0, 179.0, 90.0), 1.0).0, LONG_SIDE);
    assert_eq!(size((36.0, -1.0, 36.5, -0.5), 0.25).0, LONG_SIDE);
    assert_eq!(size((30.0, -35.0, 31.0, 35.0), 1.0), (LEAST_WIDTH, LONG_SIDE));
    let (width, height) = size((0.0, 0.0, 90.0, 1.0), 1.0);
    assert!(width == LONG_SIDE && height > 250, "{width}×{height}");
    size((5.0, 5.0, 5.0, 5.0), 1.0);
}

#[test]
fn the_date_line_is_in_the_middle() {
    let mut longitude: Vec<f64> = (170..180).map(f64::from).collect();
    longitude.extend((-180..=-170).map(f64::from));
    let values = longitude.iter().map(|&x| if x > 0.0 { 6.0 } else { 60.0 }).collect::<Vec<f32>>();
    let field = Field::new("tp", [("latitude", 2), ("longitude", 21)], values.repeat(2))
        .and_then(|f| {
            f.with_coordinate(Coordinate::axis(
                "latitude",
                CoordinateValues::Float64(vec![-10.0, -20.0]),
            ))
        })
        .and_then(|f| {
            f.with_coordinate(Coordinate::axis("longitude", CoordinateValues::Float64(longitude)))
        })
        .unwrap();
    let region = Some("170,-20,-170,-10".parse().unwrap());
    let map = Map::new(&field, region).unwrap().palette(Palette::rainfall());
    let map = Drawn::new(&map);
    assert_eq!(map.colour(173.2, -12.3), rain_colour(6.0));
    assert_eq!(map.colour(186.3, -18.7), rain_colour(60.0));
}

#[test]
fn cells_keep_their_value_to_their_edge() {
    let steps = field((0.0, 0.0, 3.0, 3.0), 1.0, |x, _| narrow(x) * 20.0);
    let rain = |shading| {
        let map = Map::new(&steps, None).unwrap().palette(Palette::rainfall()).shading(shading);
        Drawn::new(&map).colour(1.46, 1.23)
    };
    assert_eq!(rain(Shading::Cells), rain_colour(20.0));
    assert_eq!(rain(Shading::Smooth), rain_colour(29.2));
}

#[test]
fn a_long_title_stays_on_the_page() {
    let field = field(EAST_AFRICA, 2.0, |_, _| 3.0);
    let map =
        Map::new(&field, None).unwrap().title("rain ".repeat(100)).subtitle("sub ".repeat(300));
    let canvas = map.draw().unwrap();
    let right = canvas.width() - whole(MARGIN) + 2;
    let plain = Map::new(&field, None).unwrap().title("rain").subtitle("sub").draw().unwrap();
    // The page is as much higher as the lines need, and the map is below them.
    let more = canvas.height() - plain.height();
    assert!(more > 150 && canvas.width() == plain.width(), "{more}");
    let head = more + 40;
    assert!((0..head).all(|y| (right..canvas.width()).all(|x| canvas.pixel(x, y) == Rgb::WHITE)));
    let same = |y: u32| (0..plain.width()).all(|x| plain.pixel(x, y) == canvas.pixel(x, y + more));
    assert!((80..plain.height()).all(same));
}
