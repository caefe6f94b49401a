"""Words that scanners and people write into descriptions of series, by what they say. All lower case, no accents.

Each is a whole word of a description; `edgeseg.data.recognise.words` says what a word is. English, German, French,
Spanish, Italian, Portuguese, Dutch, and Japanese in Latin letters; names of Siemens, GE, Philips and Canon.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FLAIR = _words("flair tflair darkfluid dkfl")
T1 = _words("t1 t1w t1wi mprage spgr fspgr irspgr irfspgr bravo vibe thrive lava tfl mp2rage radianse")
T2_ALONE = _words("t2 t2w t2wi")
T2 = T2_ALONE | _words("t2star pd pdw proton stir ciss fiesta trufi drive haste ssfse")

CONTRAST = _words(
    "contrast contraste contrasto kontrast kontrastmittel km mdc gd gad gado gadolinium gadolinio gdo gdtpa dtpa "
    "gadovist gadavist primovist eovist dotarem clariscan magnevist multihance omniscan prohance vueway elucirem "
    "artirem gadobutrol gadoteridol gadoterate gadobenate gadopiclenol ce kmc injection injecte injectee inj iv ivc "
    "civ zouei zoei agent mkm kontrastli kontrastem kontrastu kontrastom kontrastni kontrastnim kontrastowy "
    "kontrastowe kontrascie kontraszt kontrasztos contrasto contrastato contrastata contrastado contrastada contrastee"
)
AFTER = _words(
    "post after nach apres tras despues dopo apos pos poscontraste enhanced zoueigo zoeigo zoueiato gadoplus delayed "
    "late spat tardif tardive tardia efter etter sonra"
)
WITH = _words("na with w mit avec con com met med po")
BEFORE = _words(
    "pre prae plain native nativ nativo natif unenhanced noncontrast noncontrasted before vor avant antes prima voor "
    "zoueimae zoeimae tanjun okm simple precontraste"
)
WITHOUT_ALONE = _words("without wo ohne sans sin senza sem zonder nonenhanced bez utan uden uten kontrastsiz")
"""These say that there is no agent where they stand alone too."""
SHORT = {"n": "post", "v": "pre", "av": "pre", "ss": "pre", "przed": "pre"}
"""Short for after, before and without (nach, vor, avant, sans) where a name for a contrast agent comes next."""
WITHOUT = WITHOUT_ALONE | _words("non no not")

AXIAL = _words(
    "ax axial axiale axiales axi tra trans transv transverse transversal transversale jikudan suihei yokodan axe "
    "horizontal oax"
)
CORONAL = _words("cor coronal coronale koronar coro kanjou kanjo ocor frontal frontale")
SAGITTAL = _words("sag sagittal sagittale sagital sagt shijou shijo osag")

OTHER_PART = "another part of the body"
NEVER: dict[str, frozenset[str]] = {
    "a localizer": _words(
        "loc locs localizer localiser localizador localizzatore lokalizer localisateur scout scouts aahscout aascout "
        "aahead survey plan planscan topo topogram reperage repere 3plane tplane threeplane smartbrain localizers "
        "localization ichigime ichigimi posdisp loca "
        "localisation lokalisation lokalisierung"
    ),
    "a calibration": _words(
        "calib calibration cal refscan coilref shim b0map fieldmap fmap b1map phantom prescan senseref"
    ),
    "diffusion": _words(
        "dwi dw adc dti dsi diff diffusion difusion diffusione diffusions tensor trace tracew dadc eadc fa colfa md "
        "ivim dki resolve tracto tractography kakusan diffusionsgewichtet"
    ),
    "perfusion": _words(
        "perf perfusion pwi dsc dce asl pcasl pasl cbf cbv rcbv rcbf mtt ttp tmax ktrans twist tricks gbp pbp relcbf "
        "relcbv dynamic dyn kanryu"
    ),
    "functional or spectroscopy": _words("fmri bold resting rsfmri mrs svs csi press spectro spectroscopy mosaic"),
    "susceptibility": _words("swi swan swip venobold gre hemo haemo pha phase qsm t2star medic merge fsbb"),
    "an angiogram": _words("tof mra mrv angio angiography venogram venography pca phlebo cemra"),
    "computed from others": _words(
        "sub subs subtract subtraction subtraktion soustraction sustraccion sottrazione difference mip minip "
        "projection fused fusion map maps mapping synthetic symri synth magic syntheticmr inv1 inv2 ratio color "
        "colour overlay"
    ),
    "a mask or segmentation": _words(
        "seg segs segmentation segmentacion mask masks label labels labelmap roi rtstruct annotation"
    ),
    OTHER_PART: _words(
        "spine cspine tspine lspine cspn lumbar lumbal cervical cervicale thoracic dorsal wirbelsaule wirbelsaeule hws "
        "bws lws rachis columna myelo myelon knee knie genou rodilla shoulder schulter abdomen pelvis becken breast "
        "brust mamma heart herz cardiac prostate prostata liver leber wrist ankle elbow"
    ),
    "no series of images": _words(
        "report dose phoenixzipreport phoenix screenshot screensave screen save capture keyimages presentation pdf "
        "examcard summary"
    ),
}
"""Words after which a series is none of the three sequences, whatever else is said of it."""

FILLING = _words(
    "mpr flash tfe blade propeller asset isotropic lesion tumor tumour pc de se tse fse frfse space cube vista "
    "brainview isofse mvox spc fs fatsat fat sat spair spir dixon tirm ir tir irse 3d 2d iso thin brain head cerebro "
    "cerveau crane kopf schadel tou toubu neuro dark fluid fl acquisition hr fast obl oblique reg registered coreg n "
    "c f in to on f3d ffe mr mri irm rm mrt anat stealth navi nav navigation plus fluidattenuated wi corrected norm "
    "nd dis2d dis3d filt repeat rpt motion s p2 ns gw vol volume series"
)
"""Words that say nothing of which sequence it is; they are here to be told from names of people."""

KNOWN = FLAIR | T1 | T2 | CONTRAST | AFTER | WITH | BEFORE | WITHOUT | AXIAL | CORONAL | SAGITTAL | FILLING
KNOWN |= _words(" ".join(word for words in NEVER.values() for word in words))

DIXON = _words("dixon lavaflex")
DIXON_OTHERS = _words("f fat opp opposed out outphase fett fatonly")
"""Beside a word of `DIXON`, a part of such a series other than water and in phase."""
COMPONENTS = {"P": "a phase", "R": "a real part", "I": "an imaginary part"}
"""The third or fourth word of an image type, whole or before `_`: not a magnitude."""

BAD_IMAGE_TYPES = {
    "PHASE": "a phase",
    "REAL": "a real part",
    "IMAGINARY": "an imaginary part",
    "LOCALIZER": "a localizer",
    "SUBTRACT": "computed from others",
    "SUBTRACTION": "computed from others",
    "ADC": "diffusion",
    "DIFFUSION": "diffusion",
    "TRACEW": "diffusion",
    "FA": "diffusion",
    "PROJECTION IMAGE": "computed from others",
    "MINIP": "computed from others",
    "MIP": "computed from others",
    "SCREEN SAVE": "no series of images",
    "PHASE MAP": "susceptibility",
    "MOSAIC": "a Siemens mosaic",
}
