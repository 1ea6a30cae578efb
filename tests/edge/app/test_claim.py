import json

from tests.edge.app.clouds import TakingCloud
from tests.edge.app.conftest import BoxFiles


async def test_a_claimed_box_knows_who_it_is(box: BoxFiles, cloud: TakingCloud) -> None:
    result = await box.run("claim", cloud.code)
    assert (result.exit_code, result.output) == (0, "this box is North gate (box-1)\n")
    assert json.loads((box.root / "box/claimed.json").read_text()) == {"box_id": "box-1", "name": "North gate"}


async def test_the_private_key_stays_on_the_box(box: BoxFiles, cloud: TakingCloud) -> None:
    await box.run("claim", cloud.code)
    [claim] = cloud.claims
    key = box.root / "box/identity.key"
    assert key.stat().st_mode & 0o077 == 0
    assert (len(claim.public_key), claim.software) == (43, "gatehouse-edge 0.1.0")
    assert claim.hardware


async def test_a_wrong_code_is_refused_with_the_clouds_reason(box: BoxFiles, cloud: TakingCloud) -> None:
    result = await box.run("claim", "GH-0000")
    assert result.exit_code == 1
    assert "There is no such code." in result.output


async def test_a_folder_that_can_not_be_made_is_named(box: BoxFiles, cloud: TakingCloud) -> None:
    (box.root / "box").write_text("a file in its place")
    result = await box.run("claim", cloud.code)
    assert (result.exit_code, "buffer.folder = " in result.output) == (78, True)
