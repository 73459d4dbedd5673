//! Where documents may lie: addresses as they are written, and what their names lead to.

use super::{ID, TOLD, asked, described, in_worlds, is_refused, is_taken, is_unconnected, is_untouched};
use crate::support::world::{HOST, OTHER, PUBLIC, Reply, description};

#[tokio::test]
async fn cimd_02_an_address_is_judged_as_it_is_written() {
    in_worlds(&[], async |site, world| {
        for id in [
            "http://client.example/oauth/client.json",
            "https://ada@client.example/oauth/client.json",
            "https://ada:x@client.example/oauth/client.json",
            "https://@client.example/oauth/client.json",
            "https://client.example/oauth/client.json#x",
            "https://client.example/oauth/client.json#",
            "https://client.example/oauth/client.json?x=1",
            "https://client.example/oauth/client.json?",
            "https://client.example",
            "https://client.example/",
            "https://client.example/oauth/./client.json",
            "https://client.example/x/../oauth/client.json",
            "https://client.example/oauth/%2e/client.json",
            "https://client.example/x/%2E%2e/oauth/client.json",
            "https://client.example/x/.%2e/oauth/client.json",
            "https://client.example/oauth/..",
            "https://client.example/oauth%2Fclient.json",
            "https://client.example:443/oauth/client.json",
            "https:/client.example/oauth/client.json",
            "https:///client.example/oauth/client.json",
            "https:client.example/oauth/client.json",
            "https://client.example\\oauth\\client.json",
            "https://client.example/oauth\\client.json",
            "https://client.example/oauth/client.json\n",
            "https://client.example/oauth/cli\tent.json",
            " https://client.example/oauth/client.json",
            "https://client.example/oauth/cl\u{456}ent.json",
            "https://cl\u{456}ent.example/oauth/client.json",
            "https://client\u{3002}example/oauth/client.json",
            "https://CLIENT.example/oauth/client.json",
            "https://client.example./oauth/client.json",
        ] {
            // Were it repaired, this would be found.
            world.publish_usual(ID);
            is_refused(site, id).await;
            is_untouched(world, id);
        }
        is_taken(site, ID).await;
        assert_eq!((world.lookups(), world.connections()), (vec![HOST.to_owned()], 1));
    })
    .await;
}

#[tokio::test]
async fn cimd_03_addresses_of_ipv4_are_no_names_and_special_ones_are_not_reached_by_names() {
    in_worlds(&[], async |site, world| {
        world.publish_usual(ID);
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "198.19.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "192.88.99.1",
            "168.63.129.16",
        ] {
            let answer = is_refused(site, &format!("https://{address}/oauth/client.json")).await;
            assert!(answer.text.contains(TOLD), "{answer:?}");
            world.name(HOST, &[&[address]]);
            is_refused(site, ID).await;
            is_unconnected(world, address);
        }
        let asked_as_name = |name: &String| name.parse::<std::net::IpAddr>().is_ok();
        assert!(!world.lookups().iter().any(asked_as_name), "{:?}", world.lookups());
        world.name(HOST, &[&[PUBLIC]]);
        is_taken(site, ID).await;
    })
    .await;
}

#[tokio::test]
async fn cimd_04_nor_are_those_of_ipv6_and_those_that_carry_another_inside() {
    in_worlds(&[], async |site, world| {
        world.publish_usual(ID);
        for address in [
            "::1",
            "::",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff00::1",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "::ffff:10.0.0.1",
            "::ffff:93.184.215.14",
            "::10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::5db8:d70e",
            "64:ff9b:1::1",
            "2002:a00:1::1",
            "2002:5db8:d70e::1",
            "2001::1",
            "2001:0:5db8:d70e::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "100::1",
            "5f00::1",
            "2a00:1450:4001:82f:0:5efe:10.0.0.1",
            "2a00:1450:4001:82f:200:5efe:a00:1",
        ] {
            let answer = is_refused(site, &format!("https://[{address}]/oauth/client.json")).await;
            assert!(answer.text.contains(TOLD), "{answer:?}");
            world.name(HOST, &[&[address]]);
            is_refused(site, ID).await;
            is_unconnected(world, address);
        }
        world.name(HOST, &[&["2606:4700::6810:84e5"]]);
        is_taken(site, ID).await;
    })
    .await;
}

#[tokio::test]
async fn cimd_05_other_spellings_of_addresses_and_names_of_inner_networks_are_not_looked_up() {
    in_worlds(&[], async |site, world| {
        for host in [
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0x7f.0.0.1",
            "127.1",
            "127.0.1",
            "0",
            "1.1.1.0x1",
            "1.1.1.1.",
            "localhost",
            "localhost.",
            "app.localhost",
            "app.localhost.",
            "host.docker.internal",
            "kubernetes.default.svc.cluster.local",
            "kubernetes.default.svc.cluster.local.",
            "metadata.google.internal",
            "metadata",
            "printer.local",
            "router.home.arpa",
            "hidden.onion",
            "client.invalid",
        ] {
            world.name(host, &[&[PUBLIC]]);
            is_refused(site, &format!("https://{host}/oauth/client.json")).await;
            is_untouched(world, host);
        }
    })
    .await;
}

#[tokio::test]
async fn cimd_06_a_name_that_leads_inside_is_not_followed() {
    in_worlds(&[], async |site, world| {
        world.publish_usual(ID);
        for answer in [&["10.0.0.5"][..], &["127.0.0.1"], &["fd12::1"], &["10.0.0.5", "10.0.0.6"], &[]] {
            world.name(HOST, &[answer]);
            let told = is_refused(site, ID).await;
            assert!(told.text.contains(TOLD), "{told:?}");
            is_unconnected(world, &format!("{answer:?}"));
        }
        assert_eq!(world.lookups().len(), 5, "each was looked up");
    })
    .await;
}

#[tokio::test]
async fn cimd_07_what_was_judged_is_what_is_connected_to() {
    in_worlds(&[], async |site, world| {
        world.publish(ID, Reply::document(&description(ID), "no-store"));
        world.name(HOST, &[&[PUBLIC], &["127.0.0.1"]]);
        is_taken(site, ID).await;
        let judged: std::net::IpAddr = PUBLIC.parse().unwrap();
        assert_eq!((world.lookups().len(), world.reached()), (1, vec![judged]), "one look, and no second");
        // The next fetch looks again, and finds that the name leads elsewhere now: nothing is left open from before.
        site.clock.advance(std::time::Duration::from_secs(31));
        is_refused(site, ID).await;
        assert_eq!((world.lookups().len(), world.reached(), world.connections()), (2, vec![judged], 1));
    })
    .await;
}

#[tokio::test]
async fn cimd_08_one_inner_address_makes_the_whole_answer_suspect() {
    in_worlds(&[], async |site, world| {
        world.publish_usual(ID);
        for answer in [&[PUBLIC, "10.0.0.1"][..], &["10.0.0.1", PUBLIC], &[PUBLIC, OTHER, "::1"]] {
            world.name(HOST, &[answer]);
            is_refused(site, ID).await;
            is_unconnected(world, &format!("{answer:?}"));
        }
        world.name(HOST, &[&[PUBLIC, OTHER]]);
        is_taken(site, ID).await;
    })
    .await;
}

#[tokio::test]
async fn cimd_23_this_server_does_not_ask_itself() {
    let id = "https://reviews.example.org/oauth/client.json";
    in_worlds(&[("server.public_url", "https://reviews.example.org:8443")], async |site, world| {
        world.publish_usual(id);
        is_refused(site, id).await;
        is_untouched(world, id);
        // Others it asks; what they want a token for is another address than the test's.
        world.publish_usual(ID);
        let answer = asked(site, &described(ID)).await;
        assert_eq!((answer.parameter("error").as_deref(), world.requests().len()), (Some("invalid_target"), 1));
    })
    .await;
}

#[tokio::test]
async fn cimd_28_there_is_one_port() {
    in_worlds(&[], async |site, world| {
        for port in ["443", "8443", "80", "22", "0", "", "65536"] {
            let id = format!("https://client.example:{port}/oauth/client.json");
            world.publish_usual(&id);
            is_refused(site, &id).await;
            is_untouched(world, port);
        }
    })
    .await;
}
