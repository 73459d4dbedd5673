//! Arguments of tools: the first byte names the tool, the rest is what a model wrote. What we take fits the published
//! schema, what fits it we take, and what we refuse gets one clear sentence and is never called our own fault.
#![no_main]

use google_reviews_mcp::{
    mcp::{Tool, input_schema, read_arguments},
    model::{Code, Failure, PlaceId},
    tools::{AnalyzeReviews, ComparePlaces, CreateReport, GetPlace, GetReport, GetReviews, SearchPlaces},
};
use jsonschema::Validator;
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::{Map, Value};
use std::sync::LazyLock;

type Arguments = Map<String, Value>;

/// One tool: its published schema, and what our reading of arguments says.
struct Form {
    schema: Arguments,
    published: Validator,
    read: fn(Arguments, &Arguments) -> Result<(), Failure>,
}

impl Form {
    fn of<T: Tool>() -> Self {
        let schema = input_schema::<T::Input>();
        let published = jsonschema::validator_for(&Value::Object(schema.clone())).expect("a schema");
        Self { schema, published, read: |arguments, schema| read::<T>(arguments, schema) }
    }
}

static FORMS: LazyLock<[Form; 7]> = LazyLock::new(|| {
    [
        Form::of::<SearchPlaces>(),
        Form::of::<GetPlace>(),
        Form::of::<GetReviews>(),
        Form::of::<AnalyzeReviews>(),
        Form::of::<ComparePlaces>(),
        Form::of::<CreateReport>(),
        Form::of::<GetReport>(),
    ]
});

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((first, text)) = data.split_first() else { return Corpus::Reject };
    let Ok(Value::Object(arguments)) = serde_json::from_slice(text) else { return Corpus::Reject };
    check(&FORMS[usize::from(*first) % FORMS.len()], arguments);
    Corpus::Keep
});

fn check(form: &Form, arguments: Arguments) {
    // Null says "not given", which the schema cannot say without a list of types.
    let mut given = arguments.clone();
    given.retain(|_, value| !value.is_null());
    let given = Value::Object(given);
    let fits = form.published.is_valid(&given);
    match (form.read)(arguments, &form.schema) {
        // Places in a list are read one by one when the tool runs, to name the position of a wrong one.
        Ok(()) => assert!(fits || has_wrong_place(&given), "taken, but the schema refuses {given}"),
        Err(failure) => {
            assert!(!fits || has_float(&given), "refused, but the schema takes {given}: {}", failure.message);
            sentence(&failure);
        }
    }
}

fn read<T: Tool>(arguments: Arguments, schema: &Arguments) -> Result<(), Failure> {
    let again = arguments.clone();
    let input: T::Input = read_arguments(arguments, schema)?;
    let logged = T::logged(&input);
    let text = |name: &str| again.get(name).and_then(Value::as_str).map(str::to_owned);
    assert!(logged.place_id == text("place_id"), "another place");
    if let Some(id) = &logged.place_id {
        assert!(PlaceId::parse(id).is_ok(), "{id:?}");
    }
    if let (Some(logged), Some(given)) = (logged.language, text("language")) {
        assert_eq!(logged, given);
    }
    if let (Some(logged), Some(given)) = (logged.limit, again.get("limit").and_then(Value::as_u64)) {
        assert_eq!(u64::from(logged), given);
    }
    Ok(())
}

fn has_wrong_place(given: &Value) -> bool {
    let places = given.get("place_ids").and_then(Value::as_array);
    places.is_some_and(|places| places.iter().any(|id| id.as_str().is_some_and(|id| PlaceId::parse(id).is_err())))
}

/// JSON Schema takes 5.0 for an integer; we want 5.
fn has_float(given: &Value) -> bool {
    given.as_object().is_some_and(|given| given.values().any(Value::is_f64))
}

fn sentence(failure: &Failure) {
    assert_eq!(failure.code, Code::InvalidArgument, "{}", failure.message);
    assert!(!failure.message.is_empty() && failure.message.chars().count() < 1_000, "{}", failure.message);
    assert!(!failure.message.contains(|each: char| each.is_control()), "{:?}", failure.message);
}
