"""The parameters of heads that everybody knows."""

from gpool_cli.head.cost import Cost, flatten_and_dense, pool_alone, pool_and_linear


def test_vgg16_fc6():
    assert flatten_and_dense((7, 7), 512, 4096) == Cost(102_764_544, 102_760_448, any_size=False)


def test_resnet50():
    linear = pool_and_linear((7, 7), 2048, 1000)
    assert linear == Cost(2_049_000, 2_048_000 + 7 * 7 * 2048, any_size=True)
    assert flatten_and_dense((7, 7), 2048, 1000).parameters == 100_353_000


def test_mobilenet():
    assert pool_and_linear((7, 7), 1024, 1000).parameters == 1_025_000
    assert pool_and_linear((7, 7), 1280, 1000).parameters == 1_281_000  # MobileNetV2


def test_the_size_of_the_map_matters_to_the_dense_layer_alone():
    assert flatten_and_dense((14, 14), 512, 4096).parameters == 4 * 102_760_448 + 4096
    assert pool_and_linear((14, 14), 2048, 1000).parameters == 2_049_000


def test_pooling_alone_has_no_parameters():
    assert pool_alone((8, 8), 10) == Cost(0, 640, any_size=True)
    assert pool_alone((8, 8), 10).bytes_at(4) == 0
    assert pool_and_linear((7, 7), 1024, 1000).bytes_at(4) == 4_100_000
