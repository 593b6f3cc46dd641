"""The small words that turn a question into another one, for the guards. English; see `guards`.

Each axis has two or more poles; two questions that stand at different poles are different
questions, however near their vectors are.
"""


def _words(text: str) -> list[str]:
    return text.split()


NEGATIONS = frozenset(("not", "no", "never", "without", "none", "neither", "nor", "cannot", "nobody", "nothing"))

NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        _words(
            """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty
    """
        )
    )
    if word != "one"  # mostly a pronoun
} | {
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "hundred": "100",
    "thousand": "1000",
    "million": "1000000",
    "billion": "1000000000",
    "first": "1st",
    "second": "2nd",
    "third": "3rd",
    "half": "1/2",
    "twice": "2x",
    "double": "2x",
}

TIMES = frozenset(
    _words(
        """
    january february march april june july august september october november december jan feb mar apr jun jul aug
    sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday today tomorrow yesterday tonight
    now currently weekly monthly yearly daily annually last next previous morning evening afternoon night
    """
    )
)

UNITS = frozenset(
    _words(
        """
    kg g mg lb lbs pound pounds kilogram kilograms gram grams km m cm mm mile miles metre metres meter meters foot
    feet inch inches litre litres liter liters ml gallon gallons hour hours minute minutes second seconds day days
    week weeks month months year years gb mb tb kb mbps percent dollar dollars euro euros rupee rupees usd eur inr
    gbp celsius fahrenheit mph kmh volt volts watt watts degree degrees calories
    """
    )
)

AXES: tuple[tuple[str, ...], ...] = (
    ("greater higher larger bigger above exceeds highest largest biggest maximum max longest",
     "less fewer lower smaller below least lowest smallest minimum min shortest"),
    ("increase increases increased increasing gain grow raise",
     "decrease decreases decreased decreasing reduce lose loss shrink"),
    ("before until prior", "after following"),
    ("buy buying purchase", "sell selling sale", "rent lease hire"),
    ("start begin open enable activate", "stop end close disable deactivate cancel"),
    ("pros advantages benefits advantage benefit", "cons disadvantages drawbacks "
     "disadvantage"),
    ("safe legal allowed", "unsafe dangerous illegal forbidden banned"),
    ("true right correct", "false wrong incorrect"),
    ("accept accepted join love", "reject rejected fire leave hate dislike"),
    ("import upload send", "export download receive"),
    ("win pass succeed", "lose fail"),
    ("man men male boy boys husband father boyfriend he", "woman women female girl girls wife mother girlfriend she"),
    ("parent parents", "child children kid kids"),
    ("old older oldest", "new newer newest young younger latest"),
    ("easy easier easiest", "hard harder hardest difficult"),
    ("fast faster fastest quick", "slow slower slowest"),
    ("cheap cheaper cheapest", "expensive"),
    ("strong stronger", "weak weaker"),
    ("hot warm", "cold cool"),
    ("inside indoor", "outside outdoor"),
    ("public", "private"),
    ("online", "offline"),
    ("input", "output"),
    ("front", "back", "rear"),
    ("top", "bottom"),
    ("same similar similarity", "different difference differences"),
    ("install", "uninstall"),
    ("delete", "recover restore create"),
    ("always", "sometimes", "never"),
    ("temporary", "permanent"),
    ("free", "paid"),
    ("small", "large big huge"),
    ("long", "short"),
    ("early", "late"),
    ("rich", "poor"),
    ("happy", "sad unhappy"),
    ("teacher", "student"),
    ("employer", "employee"),
    ("north", "south", "east", "west"),
)  # fmt: skip

POLES = {
    word: (place, pole) for place, axis in enumerate(AXES) for pole, words in enumerate(axis) for word in words.split()
}

STARTERS = frozenset(
    _words(
        """
    what who whom whose when where why how which is are was were am do does did can could should would will shall
    may might must has have had if in on at for to the a an i i'm my we our you your he she they it its this that
    these those there and or but so as of by with from please tell explain describe give show list write find help
    hello hi hey thanks anyone anybody someone suppose since after before while any some not no
    """
    )
)

FILLERS = STARTERS | frozenset(
    _words(
        """
    be been being s re ve ll d t m not's me us them him her just really actually ever get got getting go going way
    ways best good most much many lot thing things one ones people person someone anyone like need want know think
    mean also about into than then too very only own other others such between up out over use using used make
    making made do doing done possible kindly ok okay exactly simply
    """
    )
)

ORDINARY_CAPITALS = frozenset(("i", "i'm", "i've", "i'd", "i'll", "ok", "a"))
