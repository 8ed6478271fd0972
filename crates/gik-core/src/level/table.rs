//! The spellings of levels: code table 4.5 as wgrib2 writes it and as ecCodes names it.

/// One type of fixed surface.
#[derive(Debug)]
pub(super) struct SurfaceType {
    /// Code table 4.5. From 192 on NCEP's local use.
    pub(super) code: u8,
    /// wgrib2's spelling of one surface; `#` stands for the value, if it is written.
    pub(super) single: &'static str,
    /// wgrib2's spelling of a layer between two of them; empty where it writes
    /// `single - single`.
    pub(super) layer: &'static str,
    /// ecCodes' `typeOfLevel` of one surface.
    pub(super) single_name: &'static str,
    /// ecCodes' `typeOfLevel` of a layer.
    pub(super) layer_name: &'static str,
    /// The units of the value.
    pub(super) unit: Unit,
    /// Whether surfaces are numbered although wgrib2 does not write the number.
    pub(super) numbered: bool,
}

impl SurfaceType {
    /// Whether the spelling of a surface has a value in it.
    pub(super) const fn is_valued(&self) -> bool {
        find(self.single.as_bytes(), b'#').is_some()
    }

    /// Whether a value tells two surfaces of this type apart.
    pub(super) const fn needs_value(&self) -> bool {
        self.is_valued() || self.numbered
    }
}

/// Powers of ten between the spelling, the code table and the coordinate.
#[derive(Debug)]
pub(super) struct Unit {
    /// Spelled value × 10^this = value in code table 4.5's unit.
    pub(super) spelled: i8,
    /// Value in code table 4.5's unit × 10^this = coordinate value.
    pub(super) coordinate: i8,
    /// The coordinate's unit.
    pub(super) name: &'static str,
}

/// What ecCodes answers when it has no name.
pub(super) const UNNAMED: &str = "unknown";

const ONE: Unit = same("1");
const METRE: Unit = same("m");
const KELVIN: Unit = same("K");
/// Spelled in mb, coded in Pa, a coordinate in hPa.
const PRESSURE: Unit = Unit { spelled: 2, coordinate: -2, name: "hPa" };
/// Spelled in mb, coded in Pa; ecCodes leaves pressure differences in Pa.
const PRESSURE_DIFFERENCE: Unit = Unit { spelled: 2, coordinate: 0, name: "Pa" };
/// ecCodes counts in 10⁻⁹ K m² kg⁻¹ s⁻¹ (the usual 2 PVU surface is 2000).
const VORTICITY: Unit = Unit { spelled: 0, coordinate: 9, name: "1e-9 K m2 kg-1 s-1" };
/// Spelled in °C, coded in tenths.
const ISOTHERM: Unit = Unit { spelled: 1, coordinate: -1, name: "degC" };

const fn same(name: &'static str) -> Unit {
    Unit { spelled: 0, coordinate: 0, name }
}

/// A surface that its type alone describes.
const fn plain(code: u8, single: &'static str, single_name: &'static str) -> SurfaceType {
    SurfaceType {
        code,
        single,
        layer: "",
        single_name,
        layer_name: UNNAMED,
        unit: ONE,
        numbered: false,
    }
}

/// Numbered surfaces whose number wgrib2 does not write.
const fn numbered(
    code: u8,
    single: &'static str,
    [single_name, layer_name]: [&'static str; 2],
) -> SurfaceType {
    SurfaceType { code, single, layer: "", single_name, layer_name, unit: ONE, numbered: true }
}

/// A surface with a value, without a spelling for layers.
const fn valued(
    code: u8,
    single: &'static str,
    [single_name, layer_name]: [&'static str; 2],
    unit: Unit,
) -> SurfaceType {
    SurfaceType { code, single, layer: "", single_name, layer_name, unit, numbered: false }
}

/// A surface with a value, and the layer between two.
const fn layered(
    code: u8,
    [single, layer]: [&'static str; 2],
    [single_name, layer_name]: [&'static str; 2],
    unit: Unit,
) -> SurfaceType {
    SurfaceType { code, single, layer, single_name, layer_name, unit, numbered: false }
}

/// Every type that wgrib2 has a spelling for, ascending by code.
pub(super) const SURFACES: &[SurfaceType] = &[
    plain(1, "surface", "surface"),
    plain(2, "cloud base", "cloudBase"),
    plain(3, "cloud top", "cloudTop"),
    plain(4, "0C isotherm", "isothermZero"),
    plain(5, "level of adiabatic condensation from sfc", "adiabaticCondensation"),
    plain(6, "max wind", "maxWind"),
    plain(7, "tropopause", "tropopause"),
    plain(8, "top of atmosphere", "nominalTop"),
    plain(9, "sea bottom", "seaBottom"),
    plain(10, "entire atmosphere", "atmosphere"),
    plain(11, "cumulonimbus base", "cumulonimbusBase"),
    plain(12, "cumulonimbus top", "cumulonimbusTop"),
    valued(13, "lowest level #% integrated cloud cover", [UNNAMED; 2], same("%")),
    plain(14, "level of free convection", "freeConvection"),
    plain(15, "convection condensation level", "convectiveCondensation"),
    plain(16, "level of neutral buoyancy", "neutralBuoyancy"),
    plain(17, "Departure level of most unstable parcel of air (MUDL)", "mostUnstableParcel"),
    valued(
        18,
        "Departure level of mixed layer parcel of air with specified layer depth # (Pa)",
        ["mixedLayerParcel", UNNAMED],
        same("Pa"),
    ),
    valued(20, "# K level", ["isothermal", UNNAMED], KELVIN),
    valued(21, "lowest level > # kg/m^3", [UNNAMED; 2], same("kg m-3")),
    valued(22, "highest level > # kg/m^3", [UNNAMED; 2], same("kg m-3")),
    valued(23, "lowest level > # Bq/m^3", [UNNAMED; 2], same("Bq m-3")),
    // The spelling is wgrib2's own slip, as are those of 27 and 175.
    valued(24, "highest level > # Bg/m^3", [UNNAMED; 2], same("Bq m-3")),
    valued(25, "highest level > # dBZ", [UNNAMED; 2], same("dBZ")),
    plain(26, "convective cloud layer base", UNNAMED),
    plain(27, "convective clout layer top", UNNAMED),
    plain(30, "specified radius from center of sun", UNNAMED),
    plain(31, "solar photosphere", UNNAMED),
    plain(32, "ionosphere D-region level", UNNAMED),
    plain(33, "ionosphere E-region level", UNNAMED),
    plain(34, "ionosphere F1-region level", UNNAMED),
    plain(35, "ionosphere F2-region level", UNNAMED),
    plain(36, "stratopause", UNNAMED),
    layered(100, ["# mb", "#-# mb"], ["isobaricInhPa", "isobaricLayer"], PRESSURE),
    plain(101, "mean sea level", "meanSea"),
    layered(
        102,
        ["# m above mean sea level", "#-# m above mean sea level"],
        ["heightAboveSea", "heightAboveSeaLayer"],
        METRE,
    ),
    layered(
        103,
        ["# m above ground", "#-# m above ground"],
        ["heightAboveGround", "heightAboveGroundLayer"],
        METRE,
    ),
    layered(104, ["# sigma level", "#-# sigma layer"], ["sigma", "sigmaLayer"], ONE),
    layered(105, ["# hybrid level", "#-# hybrid layer"], ["hybrid", "hybridLayer"], ONE),
    layered(
        106,
        ["# m underground", "#-# m below ground"],
        ["depthBelowLand", "depthBelowLandLayer"],
        METRE,
    ),
    layered(
        107,
        ["# K isentropic level", "#-# K isentropic layer"],
        ["theta", "thetaLayer"],
        KELVIN,
    ),
    layered(
        108,
        ["# mb above ground", "#-# mb above ground"],
        ["pressureFromGround", "pressureFromGroundLayer"],
        PRESSURE_DIFFERENCE,
    ),
    valued(109, "PV=# (Km^2/kg/s) surface", ["potentialVorticity", UNNAMED], VORTICITY),
    layered(111, ["# Eta level", "#-# Eta layer"], ["eta", UNNAMED], ONE),
    valued(113, "# logarithmic hybrid level", [UNNAMED; 2], ONE),
    numbered(114, "snow level", ["snow", "snowLayer"]),
    layered(115, ["# sigma height level", "#-# sigma height layer"], [UNNAMED; 2], ONE),
    plain(117, "mixed layer depth", "mixedLayerDepthGeneric"),
    layered(
        118,
        ["# hybrid height level", "#-# hybrid height layer"],
        ["hybridHeight", UNNAMED],
        ONE,
    ),
    layered(
        119,
        ["# hybrid pressure level", "#-# hybrid pressure layer"],
        ["hybridPressure", UNNAMED],
        ONE,
    ),
    layered(
        150,
        ["# generalized vertical height coordinate", "#-# generalized vertical height coordinate"],
        ["generalVertical", "generalVerticalLayer"],
        ONE,
    ),
    valued(151, "soil level #", ["soil", "soilLayer"], ONE),
    numbered(152, "sea-ice level", ["seaIce", "seaIceLayer"]),
    layered(
        160,
        ["# m below sea level", "#-# m below sea level"],
        ["depthBelowSea", "depthBelowSeaLayer"],
        METRE,
    ),
    layered(161, ["# m below water surface", "#-# m ocean layer"], [UNNAMED; 2], METRE),
    plain(162, "lake or river bottom", "lakeBottom"),
    plain(163, "bottom of sediment layer", UNNAMED),
    plain(164, "bottom of thermally active sediment layer", UNNAMED),
    plain(165, "bottom of sediment layer penetrated by thermal wave", UNNAMED),
    plain(166, "mixing layer", "mixingLayer"),
    plain(167, "bottom of root zone", UNNAMED),
    valued(168, "ocean model level #", ["oceanModel", "oceanModelLayer"], ONE),
    valued(
        169,
        "ocean level # (kg*m-3) density difference to near surface",
        ["mixedLayerDepthByDensity", UNNAMED],
        same("kg m-3"),
    ),
    valued(
        170,
        "ocean level # (K) pot. temperature difference to near surface",
        ["mixedLayerDepthByTemperature", UNNAMED],
        KELVIN,
    ),
    valued(
        171,
        "ocean level # (m*m/s) vertical eddy diffusivity difference from near surface",
        ["mixedLayerDepthByDiffusivity", UNNAMED],
        same("m2 s-1"),
    ),
    valued(172, "mixed layer depth (delta rho=#)", [UNNAMED; 2], same("kg m-3")),
    plain(174, "top surface of ice on sea, lake or river", "iceTopOnWater"),
    plain(175, "top surface of ice, und snow on sea, lake or river", "iceTopUnderSnowOnWater"),
    plain(176, "bottom surface ice on sea, lake or river", "iceBottomOnWater"),
    plain(177, "deep soil", "indefiniteSoilDepth"),
    plain(179, "top surface of glacier ice and inland ice", UNNAMED),
    plain(180, "deep inland or glacier ice", UNNAMED),
    plain(181, "grid tile land fraction as a model surface", UNNAMED),
    plain(182, "grid tile water fraction as a model surface", UNNAMED),
    plain(183, "grid tile ice fraction on sea, lake or river as a model surface", UNNAMED),
    plain(184, "grid tile glacier ice and inland ice fraction as a model surface", UNNAMED),
    plain(200, "entire atmosphere (considered as a single layer)", "atmosphereSingleLayer"),
    plain(201, "entire ocean (considered as a single layer)", "oceanSingleLayer"),
    plain(204, "highest tropospheric freezing level", "highestTroposphericFreezing"),
    plain(206, "grid scale cloud bottom level", "gridScaleCloudBottom"),
    plain(207, "grid scale cloud top level", "gridScaleCloudTop"),
    plain(209, "boundary layer cloud bottom level", "boundaryLayerCloudBottom"),
    plain(210, "boundary layer cloud top level", "boundaryLayerCloudTop"),
    plain(211, "boundary layer cloud layer", "boundaryLayerCloudLayer"),
    plain(212, "low cloud bottom level", "lowCloudBottom"),
    plain(213, "low cloud top level", "lowCloudTop"),
    plain(214, "low cloud layer", "lowCloudLayer"),
    plain(215, "cloud ceiling", "cloudCeiling"),
    valued(216, "effective layer top level #m", [UNNAMED; 2], METRE),
    valued(217, "effective layer bottom level #m", [UNNAMED; 2], METRE),
    valued(218, "effective layer #m", [UNNAMED; 2], METRE),
    plain(220, "planetary boundary layer", "planetaryBoundaryLayer"),
    plain(221, "layer between two hybrid levels", "layerBetween2Hybrids"),
    plain(222, "middle cloud bottom level", "middleCloudBottom"),
    plain(223, "middle cloud top level", "middleCloudTop"),
    plain(224, "middle cloud layer", "middleCloudLayer"),
    plain(232, "high cloud bottom level", "highCloudBottom"),
    plain(233, "high cloud top level", "highCloudTop"),
    plain(234, "high cloud layer", "highCloudLayer"),
    layered(
        235,
        ["#C ocean isotherm", "#-#C ocean isotherm layer"],
        ["oceanIsotherm", UNNAMED],
        ISOTHERM,
    ),
    plain(236, "layer between two depths below ocean surface", UNNAMED),
    plain(237, "bottom of ocean mixed layer", UNNAMED),
    plain(238, "bottom of ocean isothermal layer", UNNAMED),
    plain(239, "layer ocean surface and 26C ocean isothermal level", UNNAMED),
    plain(240, "ocean mixed layer", "oceanMixedLayer"),
    valued(241, "# in sequence", ["orderedSequenceData", UNNAMED], ONE),
    plain(242, "convective cloud bottom level", "convectiveCloudBottom"),
    plain(243, "convective cloud top level", "convectiveCloudTop"),
    plain(244, "convective cloud layer", "convectiveCloudLayer"),
    plain(245, "lowest level of the wet bulb zero", "lowestLevelWetBulb0"),
    plain(246, "maximum equivalent potential temperature level", UNNAMED),
    plain(247, "equilibrium level", "equilibrium"),
    plain(248, "shallow convective cloud bottom level", "shallowConvectiveCloudBottom"),
    plain(249, "shallow convective cloud top level", "shallowConvectiveCloudTop"),
    plain(251, "deep convective cloud bottom level", "deepConvectiveCloudBottom"),
    plain(252, "deep convective cloud top level", "deepConvectiveCloudTop"),
    plain(253, "lowest bottom level of supercooled liquid water layer", UNNAMED),
    plain(254, "highest top level of supercooled liquid water layer", UNNAMED),
];

/// Layers between surfaces of different types that have a name of their own.
#[derive(Debug)]
pub(super) struct Pair {
    /// Code table 4.5 of both.
    pub(super) codes: [u8; 2],
    /// wgrib2's spelling; empty where it writes `single - single`.
    pub(super) spelling: &'static str,
    /// ecCodes' `typeOfLevel`.
    pub(super) name: &'static str,
}

/// See [`Pair`].
pub(super) static PAIRS: &[Pair] = &[
    Pair { codes: [1, 8], spelling: "atmos col", name: "entireAtmosphere" },
    Pair { codes: [9, 1], spelling: "ocean column", name: UNNAMED },
    Pair { codes: [1, 9], spelling: "", name: "entireOcean" },
    Pair { codes: [1, 162], spelling: "", name: "entireLake" },
    Pair { codes: [174, 176], spelling: "", name: "iceLayerOnWater" },
    Pair { codes: [175, 176], spelling: "", name: "iceLayerUnderSnowOnWater" },
];

/// The type with this code.
pub(super) fn by_code(code: u8) -> Option<&'static SurfaceType> {
    let at = SURFACES.binary_search_by_key(&code, |surface| surface.code).ok()?;
    SURFACES.get(at)
}

const fn find(text: &[u8], wanted: u8) -> Option<usize> {
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        if *first == wanted {
            return Some(text.len() - rest.len());
        }
        rest = tail;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound() {
        assert!(SURFACES.windows(2).all(|pair| pair[0].code < pair[1].code));
        let mut spellings: Vec<&str> =
            SURFACES.iter().flat_map(|surface| [surface.single, surface.layer]).collect();
        spellings.extend(PAIRS.iter().map(|pair| pair.spelling));
        spellings.retain(|spelling| !spelling.is_empty());
        let all = spellings.len();
        spellings.sort_unstable();
        spellings.dedup();
        assert_eq!(spellings.len(), all, "a spelling occurs twice");
        for surface in SURFACES {
            assert!(surface.single.matches('#').count() <= 1, "{surface:?}");
            assert!(surface.layer.is_empty() || surface.layer.starts_with("#-#"), "{surface:?}");
            assert_eq!(surface.is_valued(), surface.single.contains('#'), "{surface:?}");
        }
    }
}
