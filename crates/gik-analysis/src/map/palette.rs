//! Which colour stands for which value.

use super::colour::Rgb;

/// Classes of a ramp that spreads over the values: more are hard to tell apart.
const MOST_SEQUENTIAL: f64 = 14.0;

/// Classes of a ramp whose colours are fixed, with their many hues.
const MOST_ABSOLUTE: f64 = 22.0;

/// Rain in millimetres, for totals of a day or so: none below 1 mm, then greens for what
/// wets, blues for what fills, purples and magenta for what floods.
const RAINFALL: [(f64, Rgb); 12] = [
    (1.0, Rgb(221, 242, 208)),
    (2.0, Rgb(183, 227, 165)),
    (5.0, Rgb(127, 204, 125)),
    (10.0, Rgb(67, 172, 99)),
    (20.0, Rgb(116, 190, 226)),
    (30.0, Rgb(64, 145, 209)),
    (40.0, Rgb(39, 99, 181)),
    (50.0, Rgb(41, 58, 143)),
    (75.0, Rgb(104, 56, 156)),
    (100.0, Rgb(150, 74, 181)),
    (150.0, Rgb(205, 92, 178)),
    (200.0, Rgb(247, 150, 180)),
];

/// Degrees Celsius: cold and warm sides that are palest a little above freezing.
const TEMPERATURE: [(f64, Rgb); 10] = [
    (-40.0, Rgb(67, 36, 122)),
    (-25.0, Rgb(56, 82, 171)),
    (-10.0, Rgb(84, 153, 211)),
    (0.0, Rgb(164, 211, 236)),
    (8.0, Rgb(220, 239, 231)),
    (16.0, Rgb(250, 240, 196)),
    (23.0, Rgb(252, 206, 122)),
    (30.0, Rgb(241, 140, 71)),
    (37.0, Rgb(205, 64, 52)),
    (46.0, Rgb(122, 18, 48)),
];

/// Any amount, from its least (0) to its greatest (1): ever darker, through green and blue.
const SEQUENTIAL: [(f64, Rgb); 6] = [
    (0.0, Rgb(249, 246, 224)),
    (0.2, Rgb(203, 229, 180)),
    (0.4, Rgb(122, 200, 176)),
    (0.6, Rgb(58, 155, 184)),
    (0.8, Rgb(52, 96, 166)),
    (1.0, Rgb(54, 36, 110)),
];

/// Probabilities in per cent, in classes of ten: none below 10, then ever more alarming.
const PROBABILITY: [(f64, Rgb); 10] = [
    (0.0, Rgb(255, 255, 255)),
    (10.0, Rgb(235, 244, 203)),
    (20.0, Rgb(206, 231, 161)),
    (30.0, Rgb(250, 232, 137)),
    (40.0, Rgb(251, 206, 95)),
    (50.0, Rgb(247, 165, 66)),
    (60.0, Rgb(234, 116, 53)),
    (70.0, Rgb(213, 66, 51)),
    (80.0, Rgb(172, 29, 66)),
    (90.0, Rgb(115, 14, 84)),
];

/// The colours of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Palette(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Each class begins at its level; below the first there is no colour.
    Classes(Vec<(f64, Rgb)>),
    /// As classes, up to a level that nothing exceeds.
    Closed(Vec<(f64, Rgb)>, f64),
    /// A colour belongs to a value for good; the levels adapt.
    Absolute(Vec<(f64, Rgb)>),
    /// The colours spread over the values that occur.
    Relative(Vec<(f64, Rgb)>),
}

impl Palette {
    /// Rain in millimetres, at fixed levels from 1 to 200, so that maps can be compared.
    #[must_use]
    pub fn rainfall() -> Self {
        Self(Kind::Classes(RAINFALL.to_vec()))
    }

    /// Probabilities in per cent, at fixed levels from 0 to 100 by tens.
    #[must_use]
    pub fn probability() -> Self {
        Self(Kind::Closed(PROBABILITY.to_vec(), 100.0))
    }

    /// Temperature in degrees Celsius. A colour means the same on every map; the levels
    /// are as fine as the range of values allows.
    #[must_use]
    pub fn temperature() -> Self {
        Self(Kind::Absolute(TEMPERATURE.to_vec()))
    }

    /// Anything else: pale for the least value on the map, dark for the greatest.
    #[must_use]
    pub fn sequential() -> Self {
        Self(Kind::Relative(SEQUENTIAL.to_vec()))
    }

    /// Levels and colours for values of this range; `None` if there is no value.
    pub(super) fn scale(&self, range: Option<(f64, f64)>) -> Scale {
        let (stops, relative, most) = match &self.0 {
            Kind::Classes(classes) => {
                let below = std::iter::once(Rgb::WHITE);
                return Scale {
                    levels: classes.iter().map(|(level, _)| *level).collect(),
                    colours: below.chain(classes.iter().map(|(_, colour)| *colour)).collect(),
                    open_above: true,
                };
            }
            Kind::Closed(classes, last) => {
                let levels = classes.iter().map(|(level, _)| *level).chain([*last]);
                let colours = classes.iter().map(|(_, colour)| *colour);
                // What rounding takes beyond the ends has the colours there.
                let (first, end) = (classes.first(), classes.last());
                let edge = |class: Option<&(f64, Rgb)>| class.map_or(Rgb::WHITE, |it| it.1);
                let all = [edge(first)].into_iter().chain(colours).chain([edge(end)]);
                return Scale {
                    levels: levels.collect(),
                    colours: all.collect(),
                    open_above: false,
                };
            }
            Kind::Absolute(stops) => (stops, false, MOST_ABSOLUTE),
            Kind::Relative(stops) => (stops, true, MOST_SEQUENTIAL),
        };
        let levels = nice_levels(range.unwrap_or((0.0, 1.0)), most);
        let (first, last) = ends(&levels);
        let middles = levels.iter().zip(levels.iter().skip(1)).map(|(a, b)| f64::midpoint(*a, *b));
        let mut colours: Vec<Rgb> = middles
            .map(|value| {
                let at = if relative { (value - first) / (last - first) } else { value };
                ramp(stops, at)
            })
            .collect();
        // The levels enclose all values, so these two only catch what rounding does.
        let (low, high) = (colours.first().copied(), colours.last().copied());
        colours.insert(0, low.unwrap_or(Rgb::WHITE));
        colours.push(high.unwrap_or(Rgb::WHITE));
        Scale { levels, colours, open_above: false }
    }
}

/// Levels with the colours between them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    /// Ascending, two or more.
    pub(super) levels: Vec<f64>,
    /// One more than levels: below the first, between each two, from the last on.
    pub(super) colours: Vec<Rgb>,
    /// Whether values beyond the last level are a class that the colour bar shows.
    pub(super) open_above: bool,
}

impl Scale {
    /// The position of a value's colour. A value on a level belongs to the class above it.
    pub(super) fn class(&self, value: f32) -> usize {
        // Where all neighbours are on the level, a value between them may come out a rounding less.
        let value = f64::from(value) + f64::from(value.abs()) * 1e-6;
        self.levels.partition_point(|&level| level <= value)
    }
}

fn ends(values: &[f64]) -> (f64, f64) {
    (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(1.0))
}

/// The colour at `value` between the stops, or of the nearest one beyond them.
fn ramp(stops: &[(f64, Rgb)], value: f64) -> Rgb {
    let above = stops.partition_point(|(at, _)| *at <= value);
    match (above.checked_sub(1).and_then(|i| stops.get(i)), stops.get(above)) {
        (Some((a, from)), Some((b, to))) => from.mix(*to, (value - a) / (b - a)),
        (Some((_, only)), None) | (None, Some((_, only))) => *only,
        (None, None) => Rgb::WHITE,
    }
}

/// Round levels that enclose the range, about `most` at the most.
fn nice_levels((low, high): (f64, f64), most: f64) -> Vec<f64> {
    // A constant field gets room on both sides, wide enough to differ from it in f32.
    let room = if high - low > f64::from(f32::EPSILON) * high.abs().max(low.abs()) {
        0.0
    } else {
        (high.abs() * 0.1).max(0.5)
    };
    let (low, high) = (low - room, high + room);
    let step = nice_step((high - low) / most);
    let first = (low / step).floor();
    // A value on the last level would belong to the class above it.
    let last = (high / step).floor() + 1.0;
    let mut levels = Vec::new();
    let mut count = first;
    while count <= last {
        levels.push(count * step);
        count += 1.0;
    }
    levels
}

/// The least of 1, 2, 5, 10 … (or such parts of 1) that is not below `step`.
pub(super) fn nice_step(step: f64) -> f64 {
    let magnitude = 10_f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|nice| *nice >= step * 0.999_999)
        .unwrap_or(10.0 * magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rain_below_a_millimetre_has_no_colour() {
        let scale = Palette::rainfall().scale(Some((0.0, 3.0)));
        assert_eq!(scale.colours.len(), scale.levels.len() + 1);
        let colour = |value: f32| scale.colours[scale.class(value)];
        assert_eq!(colour(0.999), Rgb::WHITE);
        assert_eq!(colour(1.0), RAINFALL[0].1);
        assert_eq!(colour(19.99), RAINFALL[3].1);
        assert_eq!(colour(4000.0), RAINFALL[11].1);
    }

    #[test]
    fn probabilities_have_ten_classes() {
        let scale = Palette::probability().scale(None);
        assert_eq!((scale.levels.len(), scale.colours.len()), (11, 12));
        let colour = |value: f32| scale.colours[scale.class(value)];
        assert_eq!((colour(0.0), colour(9.99)), (Rgb::WHITE, Rgb::WHITE));
        assert_eq!((colour(50.0), colour(100.0)), (PROBABILITY[5].1, PROBABILITY[9].1));
    }

    #[test]
    fn levels_are_round_and_enclose_the_values() {
        let levels = |low, high| Palette::sequential().scale(Some((low, high))).levels;
        assert_eq!(levels(0.0, 10.0), (0..=11).map(f64::from).collect::<Vec<_>>());
        assert_eq!(levels(-37.0, 112.0).first(), Some(&-40.0));
        assert_eq!(levels(-37.0, 112.0).last(), Some(&120.0));
        for (low, high) in [(3.0, 3.0), (0.0, 0.0), (-1e-9, 1e-9), (1e5, 1.01e5), (-2e30, 3e30)] {
            let levels = levels(low, high);
            assert!((2..=17).contains(&levels.len()), "{low}…{high}: {levels:?}");
            assert!(levels[0] <= low && levels[levels.len() - 1] > high, "{levels:?}");
        }
    }

    #[test]
    fn a_temperature_has_one_colour_on_every_map() {
        let colour = |low, high, value: f32| {
            let scale = Palette::temperature().scale(Some((low, high)));
            scale.colours[scale.class(value)]
        };
        // Classes from 28 to 30 degrees on both.
        assert_eq!(colour(-4.0, 36.0, 29.0), colour(20.0, 60.0, 28.5));
        assert_eq!(colour(-4.0, 36.0, 15.0), Rgb(246, 240, 201));
        assert_eq!(colour(-90.0, 60.0, -85.0), TEMPERATURE[0].1);
    }

    #[test]
    fn sequential_darkens() {
        let scale = Palette::sequential().scale(Some((0.0, 13.0)));
        let brightness: Vec<u32> = scale
            .colours
            .iter()
            .map(|c| 2 * u32::from(c.0) + 5 * u32::from(c.1) + u32::from(c.2))
            .collect();
        assert!(brightness[1..].windows(2).all(|pair| pair[0] >= pair[1]), "{brightness:?}");
    }

    #[test]
    fn steps() {
        for (step, nice) in
            [(0.9, 1.0), (1.0, 1.0), (1.1, 2.0), (3.0, 5.0), (0.06, 0.1), (70.0, 100.0)]
        {
            assert!((nice_step(step) / nice - 1.0).abs() < 1e-9, "{step}");
        }
    }
}
