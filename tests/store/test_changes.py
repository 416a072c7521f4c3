from tianti.store import Store


def test_the_state_is_another_one_after_each_change_and_no_other_time(store, make, trial, tmp_path):
    seen = [store.state()]

    def changed():
        """Once, and for a store that another process has open as well."""
        with Store(store.folder) as other:
            seen.append(other.state())
        assert seen[-1] == store.state()
        return seen[-1] not in seen[:-1]

    run = store.start_run(trial, {}, {})
    assert changed()
    store.append(run.run_id, make.answers(2))
    assert not changed()
    store.fail_run(run.run_id, "out of memory")
    assert changed()
    store.start_run(trial, {}, {})
    assert changed()
    store.finish_run(run.run_id, [make.score()], {}, 2)
    assert changed()
    store.add_scores(run.run_id, [make.score()])
    assert changed()
    store.record_study("a", [trial], "study: a")
    assert changed()
    store.put_explanation(run.run_id, "0", 0, {})
    assert changed()
    store.deployments.begin("ab" * 32, "a · b", {"served": []})
    assert changed()
    store.deployments.refuse(
        "ab" * 32, {"served": [{"runs": [run.run_id]}]}
    )  # its runs are no rows of a board
    assert changed()
    assert not changed()
