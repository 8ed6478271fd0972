//! Regions, points and probabilities on the projected grid of HRRR, against the whole fields.

use gik::core::CoordinateValues;
use gik::icechunk::Opened;
use gik_testkit::hrrr::{HrrrRun, Product};

use crate::desk::{Desk, assert_same};
use crate::exceedance::last_floats;

const ROWS: usize = 1059;
const COLUMNS: usize = 1799;
const TIME: &str = "2025-08-01T00";

fn run() -> HrrrRun {
    HrrrRun::new(TIME.parse().unwrap()).hours(0..=3)
}

/// A desk with the messages of some variables, and a store of them.
fn desk(run: &HrrrRun, variables: &[&str], options: &str) -> Desk {
    let desk = Desk::new();
    run.write_messages(&desk.path("bucket"), variables).unwrap();
    let names = variables.join(",");
    let line = format!("build hrrr --run {TIME} --variables {names} --source bucket {options}");
    desk.gik(&line).exits(0);
    desk
}

async fn coordinate(store: &Opened, name: &str) -> Vec<f64> {
    match store.array(name).await.unwrap().coordinate().await.unwrap() {
        CoordinateValues::Float64(values) => values,
        CoordinateValues::Int64(_) => panic!("{name} is of integers"),
    }
}

/// What a table says of each point: `y`, `x`, latitude, longitude and value.
fn table(desk: &Desk, name: &str) -> Vec<[f64; 5]> {
    let text = std::fs::read_to_string(desk.path(name)).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|it| *it == name).unwrap();
    let columns = ["y", "x", "latitude", "longitude", "t2m"].map(column);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        columns.map(|column| cells[column].parse().unwrap())
    };
    text.lines().skip(1).map(row).collect()
}

/// The angle between two places, in degrees.
fn angle((south, west): (f64, f64), (north, east): (f64, f64)) -> f64 {
    let (a, b, turn) = (south.to_radians(), north.to_radians(), (east - west).to_radians());
    let half = ((b - a) / 2.0).sin().powi(2) + a.cos() * b.cos() * (turn / 2.0).sin().powi(2);
    2.0 * half.sqrt().asin().to_degrees()
}

#[tokio::test(flavor = "multi_thread")]
async fn regions_and_points_are_those_of_the_whole_field() {
    let run = run();
    let desk = desk(&run, &["t2m"], "--steps 3 --store store");
    let opened = desk.open("store").await;
    let values: Vec<f32> = run.values("t2m", 180).unwrap().iter().map(|&it| it as f32).collect();
    let (x, y) = (coordinate(&opened, "x").await, coordinate(&opened, "y").await);
    let latitudes = coordinate(&opened, "latitude").await;
    let longitudes = coordinate(&opened, "longitude").await;
    assert_eq!((x.len(), y.len(), latitudes.len()), (COLUMNS, ROWS, ROWS * COLUMNS));
    desk.gik("read store t2m --allow bucket -o whole.npy").exits(0);
    assert_same(&desk.npy("whole.npy").1, &values);

    // In the middle, where the grid is turned against the meridians, and beyond its corner.
    for [west, south, east, north] in
        [[-105.3, 39.4, -104.5, 40.1], [-75.0, 40.0, -74.2, 40.5], [-130.0, 20.0, -121.9, 21.5]]
    {
        let line = format!("read store t2m --bbox={west},{south},{east},{north} --allow bucket");
        desk.gik(&format!("{line} -o x.csv")).exits(0);
        let found = table(&desk, "x.csv");
        let is_inside = |at: &usize| {
            (west..=east).contains(&longitudes[*at]) && (south..=north).contains(&latitudes[*at])
        };
        let inside: Vec<usize> = (0..ROWS * COLUMNS).filter(is_inside).collect();
        let reach = |of: fn(usize) -> usize| {
            let all = inside.iter().map(|&at| of(at));
            all.clone().min().unwrap()..=all.max().unwrap()
        };
        // The smallest part of the grid that holds them all, which has some others.
        let (rows, columns) = (reach(|at| at / COLUMNS), reach(|at| at % COLUMNS));
        let expected: Vec<[f64; 5]> = rows
            .flat_map(|row| columns.clone().map(move |column| (row, column)))
            .map(|(row, column)| {
                let at = row * COLUMNS + column;
                [y[row], x[column], latitudes[at], longitudes[at], f64::from(values[at])]
            })
            .collect();
        assert_eq!(found.len(), expected.len(), "{west},{south}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found[..4], expected[..4]);
            assert_eq!(found[4] as f32, expected[4] as f32);
        }
        assert!(inside.len() > 100 && expected.len() > inside.len(), "a test of nothing");
    }

    for (latitude, longitude) in [(39.7392, -104.9903), (25.7617, -80.1918), (47.6062, -122.3321)] {
        desk.gik(&format!("read store t2m --point {latitude},{longitude} --allow bucket -o p.csv"))
            .exits(0);
        let [found] = table(&desk, "p.csv")[..] else { panic!("one point") };
        let off = |at: &usize| angle((latitude, longitude), (latitudes[*at], longitudes[*at]));
        let nearest = (0..ROWS * COLUMNS).min_by(|a, b| off(a).total_cmp(&off(b))).unwrap();
        assert_eq!(found[..2], [y[nearest / COLUMNS], x[nearest % COLUMNS]]);
        assert_eq!(found[2..4], [latitudes[nearest], longitudes[nearest]]);
        assert_eq!(found[4] as f32, values[nearest]);
    }
    for (place, said) in
        [("--point 0,0", "off the grid"), ("--bbox 0,0,1,1", "no grid point lies inside")]
    {
        desk.gik(&format!("read store t2m {place} --allow bucket -o no.csv"))
            .exits(2)
            .says(&[said]);
    }
    assert!(!desk.path("no.csv").exists());
}

/// 100 % where the sum of these messages reaches the threshold, 0 elsewhere: there is one member.
fn reached(messages: &[(f64, Vec<f64>)], threshold: f32) -> Vec<f32> {
    (0..ROWS * COLUMNS)
        .map(|at| {
            let sum: f64 =
                messages.iter().map(|(sign, values)| sign * f64::from(values[at] as f32)).sum();
            if sum as f32 >= threshold { 100.0 } else { 0.0 }
        })
        .collect()
}

/// Hourly sums, of three hours; and totals since the start, of which one is taken from another.
/// With the valid time as dimension it comes to the same.
#[test]
fn probabilities_of_hourly_and_of_run_totals() {
    let run = run();
    let names = ["tp", "tp_run_total"];
    let desk = desk(&run, &names, "--steps 0-3 --store store");
    let line = "--variables tp,tp_run_total --steps 0-3 --source bucket --store run --layout run";
    desk.gik(&format!("build hrrr --run {TIME} {line}")).exits(0);
    let values = |name, hour: u32| run.values(name, hour * 60).unwrap();
    // The first hour's message is both.
    let first = (1.0, values("tp_run_total", 1));
    let hourly = [first, (1.0, values("tp", 2)), (1.0, values("tp", 3))];
    let later = [(1.0, values("tp_run_total", 3)), (-1.0, values("tp_run_total", 1))];
    for (name, options, terms) in
        [("tp", "--window 3h", &hourly[..]), ("tp_run_total", "--window 2h --start 1", &later[..])]
    {
        let expected: Vec<f32> = [1.0, 3.0].iter().flat_map(|&it| reached(terms, it)).collect();
        assert!(expected.contains(&0.0) && expected.contains(&100.0), "a test of nothing");
        for store in ["store", "run"] {
            let line = format!("exceedance {store} --variable {name} {options} --thresholds 1,3");
            let report = desk.gik(&format!("{line} --allow bucket -o x.nc --json")).exits(0).json();
            assert_eq!(report["messages"], terms.len(), "{store}");
            assert_eq!((&report["members"], &report["complete"]), (&1.into(), &true.into()));
            assert_same(&last_floats(&desk.path("x.nc"), expected.len()), &expected);
        }
    }
}

/// Sums over a quarter of an hour, four of them an hour; steps in minutes.
#[test]
fn probabilities_of_quarters_of_an_hour() {
    let run = run().product(Product::Subh).hours(0..=2);
    let desk = desk(&run, &["tp"], "--product wrfsubh --steps 0-120 --store store");
    let line = "--product wrfsubh --variables tp --steps 0-120 --source bucket --store run";
    desk.gik(&format!("build hrrr --run {TIME} {line} --layout run")).exits(0);
    let hour = |minutes: [u32; 4]| minutes.map(|it| (1.0, run.values("tp", it).unwrap()));
    let hours = [hour([15, 30, 45, 60]), hour([75, 90, 105, 120])];
    let expected: Vec<f32> = hours
        .iter()
        .flat_map(|it| [0.5, 1.0].iter().flat_map(move |&at| reached(it, at)))
        .collect();
    assert!(expected.contains(&0.0) && expected.contains(&100.0), "a test of nothing");
    for store in ["store", "run"] {
        let line = format!("exceedance {store} --window 1h --thresholds 0.5,1 --allow bucket");
        let report = desk.gik(&format!("{line} -o x.nc -o x.png --json")).exits(0).json();
        assert_eq!((&report["step_unit"], &report["messages"]), (&"minutes".into(), &8.into()));
        assert_eq!(report["windows"][1]["end"], 120, "{store}");
        assert_same(&last_floats(&desk.path("x.nc"), expected.len()), &expected);
    }
    // Half a quarter is no sum of quarters.
    let line = "exceedance store --window 20min --thresholds 1 --allow bucket -o no.nc";
    desk.gik(line).exits(1).says(&["expected some that span 15–20"]);
    assert!(!desk.path("no.nc").exists());
}
