//! Several members under load and in company: shares, losses, newcomers, shared keys, routers in
//! routers, counts (I14; peers O13).

use std::sync::atomic::AtomicU64;
use std::thread;

use crate::routing::{BOUND, client, emulators, in_flight, load, once, read, router};
use gigachat::{ErrorKind, GigaChat, Request, Response, Router, RouterOptions};
use gigachat_emulator::{Action, Emulator};

#[test]
fn sixty_four_callers_give_each_of_three_members_a_third_of_30_000_requests() {
    let emulators = emulators(3);
    let router = router(RouterOptions::default(), &emulators);
    let calls = 30_000_usize.div_ceil(64);
    let errors = load(&client(&router), 64, calls, &AtomicU64::new(0));
    assert!(errors.is_empty(), "{:?}", errors[0]);
    let third = (64 * calls) as f64 / 3.0;
    for (emulator, member) in emulators.iter().zip(&router.metrics().members) {
        let served = emulator.counters().chat_requests;
        assert_eq!(served, member.successes);
        let off = (served as f64 - third).abs() / third;
        assert!(off < 0.01, "{}: {served}", member.name);
    }
    assert_eq!(in_flight(&router), 0);
}

#[test]
fn a_member_that_is_killed_under_load_costs_no_request() {
    let emulators = emulators(3);
    let router = router(RouterOptions::default(), &emulators);
    let client = client(&router);
    let served = AtomicU64::new(0);
    let errors = thread::scope(|scope| {
        let loaded = scope.spawn(|| load(&client, 32, 100, &served));
        emulators[1]
            .wait_until(BOUND, |counters| counters.chat_requests >= 300)
            .expect("requests come");
        emulators[1].kill();
        loaded.join().unwrap()
    });
    assert!(
        errors.is_empty(),
        "{} failed: {:?}",
        errors.len(),
        errors[0]
    );
    let metrics = router.metrics();
    assert!(metrics.members[1].failures["connection"] > 0);
    assert_eq!(metrics.members[0].failed() + metrics.members[2].failed(), 0);
    assert_eq!(in_flight(&router), 0);
}

#[test]
fn members_with_one_key_share_its_permit_and_its_token() {
    let emulator = crate::routing::emulator_with(|options| options.concurrency = Some(1));
    let router = Router::new(RouterOptions::default());
    for _ in 0..2 {
        let mut config = gigachat::Config::new(&emulator.authorization_key()).unwrap();
        config.set_base_url(&emulator.plain_base_url()).unwrap();
        config.set_token_url(&emulator.plain_token_url()).unwrap();
        router.add(GigaChat::new(config).unwrap()).unwrap();
    }
    let errors = load(&client(&router), 8, 5, &AtomicU64::new(0));
    assert!(errors.is_empty(), "{:?}", errors[0]);
    let counters = emulator.counters();
    assert_eq!((counters.tokens_issued, counters.peak_in_flight), (1, 1));
    assert_eq!(counters.rejected_429, 0);
    let names: Vec<String> = router
        .metrics()
        .members
        .into_iter()
        .map(|m| m.name)
        .collect();
    assert_eq!(names[1], format!("{}-2", names[0]));
}

#[test]
fn routers_nest_and_the_outer_lists_the_inner_attempts() {
    let emulators = emulators(3);
    let mut options = RouterOptions::default();
    options.set_name("inner").unwrap();
    let inner = router(options, &emulators[..2]);
    let outer = Router::new(RouterOptions::default());
    outer.add(inner.clone()).unwrap();
    let circle = inner.add(outer.clone()).unwrap_err();
    assert_eq!(circle.kind(), ErrorKind::Configuration);
    outer
        .add(GigaChat::new(crate::routing::config(&emulators[2], "last")).unwrap())
        .unwrap();
    let client = client(&outer);
    for emulator in &emulators {
        once(emulator, Action::status(500));
    }
    let error = client.generate("Hello").join().unwrap_err();
    let members: Vec<&str> = error.route_attempts().iter().map(|a| &*a.member).collect();
    assert_eq!(members, ["inner/m0", "inner/m1", "last"]);
    assert_eq!(error.attempts(), 3);
    let answer: Response = client.generate("Hello").join().unwrap();
    assert!(!answer.text.is_empty());
    assert!(client.health_check(None).join().unwrap().models > 0);
}

#[test]
fn a_router_is_healthy_while_any_member_is_and_models_come_from_one_that_answers() {
    let emulators = emulators(2);
    emulators[0].kill();
    let router = router(RouterOptions::default(), &emulators);
    let client = client(&router);
    assert!(client.health_check(None).join().unwrap().models > 0);
    let models = client.models().join().unwrap();
    let name = &models[0].id;
    assert_eq!(&client.model(name).join().unwrap().id, name);
    emulators[1].kill();
    let error = client.health_check(None).join().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
}

#[test]
fn members_join_and_leave_while_requests_run() {
    let emulators = emulators(3);
    let router = router(RouterOptions::default(), &emulators[..2]);
    let client = client(&router);
    let served = AtomicU64::new(0);
    let errors = thread::scope(|scope| {
        let loaded = scope.spawn(|| load(&client, 16, 100, &served));
        let seen = |emulator: &Emulator, requests| {
            let reached = emulator.wait_until(BOUND, |c| c.chat_requests >= requests);
            reached.expect("requests come");
        };
        seen(&emulators[0], 100);
        let config = crate::routing::config(&emulators[2], "late");
        router.add(GigaChat::new(config).unwrap()).unwrap();
        seen(&emulators[2], 50);
        assert!(router.remove(router.members()[0].id));
        loaded.join().unwrap()
    });
    assert!(errors.is_empty(), "{:?}", errors[0]);
    assert_eq!(router.members().len(), 2);
    assert_eq!(in_flight(&router), 0);
}

#[test]
fn tokens_are_those_that_the_service_counted() {
    let emulators = emulators(1);
    let router = router(RouterOptions::default(), &emulators);
    let client = client(&router);
    let whole = client.generate("Count this").join().unwrap();
    let stream = client.stream(Request::prompt("Count this, too")).unwrap();
    assert!(read(&stream).1.is_none());
    let end = stream.end().unwrap();
    let sum = whole.usage.unwrap().total_tokens + end.usage.unwrap().total_tokens;
    let member = &router.metrics().members[0];
    assert_eq!(member.tokens(|model| model.total_tokens), sum);
    assert_eq!(member.models.len(), 1);
    assert_eq!(member.models[0].model, whole.model);
    assert_eq!(member.first_content.samples, 2);
}
