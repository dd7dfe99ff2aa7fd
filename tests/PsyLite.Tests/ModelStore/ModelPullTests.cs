using PsyLite.ModelStore;

namespace PsyLite.Tests.ModelStore;

public sealed class ModelPullTests : IAsyncLifetime
{
    private FakeHub _hub = null!;
    private Pulls _pulls = null!;

    public async Task InitializeAsync()
    {
        _hub = await FakeHub.StartAsync();
        _pulls = new Pulls(_hub);
    }

    public async Task DisposeAsync()
    {
        _pulls.Dispose();
        await _hub.DisposeAsync();
    }

    [Fact]
    public async Task A_registry_model_comes_over_several_connections_from_another_host()
    {
        var manifest = await _pulls.RunAsync();
        Assert.Equal(_hub.Model, _pulls.Pulled());
        Assert.Equal(_hub.Sha256, manifest.Model.Sha256);
        Assert.Equal(("apache-2.0", "Q4_K_M", 4096), (manifest.Licence, manifest.Quantization, manifest.ContextLength));
        Assert.Equal("Apache License, Version 2.0", File.ReadAllLines(_pulls.Folder.PathOf(manifest.Files.Single(f => f.Role == "license")))[1]);
        Assert.True(_hub.FileRequests >= 8, $"{_hub.FileRequests} requests");
        Assert.Equal(manifest.Files.Sum(f => f.Bytes), _pulls.Metered);
        Assert.Empty(_pulls.Folder.Unfinished());
        Assert.Equal("someone/counsel:q4", Assert.Single(_pulls.Folder.List()).Id);
    }

    [Fact]
    public async Task A_hub_file_is_pinned_to_its_commit_and_the_token_stays_with_the_hub()
    {
        var manifest = await _pulls.RunAsync(ModelReference.Parse("hf:owner/repo"), "secret", mirror: false);
        Assert.Equal(("hf:owner/repo/sub/model-q4.gguf", FakeHub.Commit, "mit"), (manifest.Id, manifest.Revision, manifest.Licence));
        Assert.Equal(_hub.Model, _pulls.Pulled(manifest.Id));
        Assert.Contains("Bearer secret", _hub.AuthorizationAtOrigin);
        Assert.NotEmpty(_hub.AuthorizationAtFileServer);
        Assert.All(_hub.AuthorizationAtFileServer, header => Assert.Equal("", header));
        Assert.NotNull(_pulls.Folder.Find($"hf:owner/repo@{FakeHub.Commit}/sub/model-q4.gguf"));
        Assert.NotNull(_pulls.Folder.Find("hf:owner/repo"));
        Assert.Null(_pulls.Folder.Find($"hf:owner/repo@{new string('f', 40)}/sub/model-q4.gguf"));
    }

    [Fact]
    public async Task A_mirror_gets_no_token()
    {
        await _pulls.RunAsync(Pulls.Hub, "secret");
        Assert.All(_hub.AuthorizationAtOrigin, header => Assert.Equal("", header));
    }

    [Fact]
    public async Task An_anonymous_token_is_fetched_where_the_registry_asks_for_one()
    {
        _hub.WantsToken = true;
        await _pulls.RunAsync();
        Assert.Equal(_hub.Model, _pulls.Pulled());
        Assert.All(_hub.AuthorizationAtFileServer, header => Assert.Equal("", header));
    }

    [Fact]
    public async Task What_is_here_is_not_fetched_again()
    {
        await _pulls.RunAsync();
        var requests = _hub.FileRequests;
        await _pulls.RunAsync();
        Assert.Equal(requests, _hub.FileRequests);
    }

    public static TheoryData<string, Misbehaviour> PassingFaults() => new()
    {
        { "drops", new Misbehaviour { DropsAfter = 10_000 } },
        { "drops at once", new Misbehaviour { DropsAfter = 0 } },
        { "hangs", new Misbehaviour { HangsAfter = 3_000 } },
        { "500", new Misbehaviour { Status = 500 } },
        { "429", new Misbehaviour { Status = 429 } },
        { "a signed address ran out", new Misbehaviour { Status = 403 } },
        { "another part", new Misbehaviour { SendsAnotherPart = true } },
        { "corrupt once", new Misbehaviour { Corrupts = true } },
        { "no ranges once", new Misbehaviour { IgnoresRange = true } },
        { "changed in between", new Misbehaviour { ETag = "\"two\"" } },
    };

    [Theory]
    [MemberData(nameof(PassingFaults))]
    public async Task A_fault_in_the_middle_is_overcome(string name, Misbehaviour fault)
    {
        Assert.NotEmpty(name);
        _hub.Behaves = request => request is 3 or 4 ? fault : Misbehaviour.None;
        await _pulls.RunAsync();
        Assert.Equal(_hub.Model, _pulls.Pulled());
        Assert.Equal(_pulls.Folder.Find("someone/counsel:q4")!.Files.Sum(f => f.Bytes), _pulls.Metered);
    }

    public static TheoryData<string, Misbehaviour> LastingFaults() => new()
    {
        { "are kept", new Misbehaviour { DropsAfter = 0 } },
        { "answered 500", new Misbehaviour { Status = 500 } },
        { "answered 429", new Misbehaviour { Status = 429 } },
        { "answered 403", new Misbehaviour { Status = 403 } },
        { "another part", new Misbehaviour { SendsAnotherPart = true } },
        { "SHA-256", new Misbehaviour { Corrupts = true } },
        { "were announced", new Misbehaviour { ClaimsAnotherLength = true } },
        { "were announced", new Misbehaviour { ClaimsAnotherLength = true, IgnoresRange = true } },
        { "are kept", new Misbehaviour { IgnoresRange = true, DropsAfter = 10_000 } },
    };

    [Theory]
    [MemberData(nameof(LastingFaults))]
    public async Task A_fault_that_stays_is_one_clear_line_and_leaves_nothing_to_load(string words, Misbehaviour fault)
    {
        _hub.Behaves = request => request > 2 ? fault : Misbehaviour.None;
        var refused = await Assert.ThrowsAsync<PullException>(() => _pulls.RunAsync());
        Assert.Contains(words, refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.Empty(_pulls.Folder.List());
        Assert.Null(_pulls.Folder.Find("someone/counsel:q4"));
        Assert.Empty(Directory.GetFiles(_pulls.Folder.Root, "*.gguf", SearchOption.AllDirectories));
        _hub.Behaves = _ => Misbehaviour.None;
        await _pulls.RunAsync();
        Assert.Equal(_hub.Model, _pulls.Pulled());
    }

    [Fact]
    public async Task A_server_without_ranges_sends_the_whole()
    {
        _hub.Behaves = _ => new Misbehaviour { IgnoresRange = true };
        await _pulls.RunAsync();
        Assert.Equal(_hub.Model, _pulls.Pulled());
        Assert.Equal(2, _hub.FileRequests);
    }

    [Fact]
    public async Task A_file_that_changes_all_the_time_is_given_up()
    {
        _hub.Behaves = request => new Misbehaviour { ETag = $"\"{request}\"" };
        Assert.Contains("another copy", (await Assert.ThrowsAsync<PullException>(() => _pulls.RunAsync())).Message);
    }

    [Theory]
    [InlineData(401, "does not let")]
    [InlineData(403, "does not let")]
    [InlineData(404, "check the name")]
    [InlineData(500, "answered 500")]
    [InlineData(429, "answered 429")]
    public async Task A_registry_that_refuses_is_one_clear_line(int status, string words)
    {
        _hub.OriginStatus = status;
        Assert.Contains(words, (await Assert.ThrowsAsync<PullException>(() => _pulls.RunAsync())).Message);
        Assert.Contains(words, (await Assert.ThrowsAsync<PullException>(() => _pulls.RunAsync(Pulls.Hub))).Message);
    }

    [Fact]
    public async Task A_registry_that_is_busy_for_a_moment_is_asked_again()
    {
        _hub.OriginFailures = 2;
        await _pulls.RunAsync(Pulls.Hub);
        Assert.Single(_pulls.Folder.List());
    }

    [Theory]
    [InlineData("someone/parts", "not one GGUF model")]
    [InlineData("someone/odd", "no readable manifest")]
    [InlineData("hf:owner/repo/none.gguf", "check the name")]
    [InlineData("hf:owner/repo/big-00001-of-00002.gguf", "one part")]
    [InlineData("hf:owner/missing", "check the name")]
    public async Task What_cannot_be_pulled_says_so(string reference, string words) =>
        Assert.Contains(words, (await Assert.ThrowsAsync<PullException>(() => _pulls.RunAsync(ModelReference.Parse(reference)))).Message);

    [Fact]
    public async Task Without_a_hash_nothing_is_pulled()
    {
        _hub.TellsHash = false;
        Assert.Contains("SHA-256", (await Assert.ThrowsAsync<PullException>(() => _pulls.RunAsync(Pulls.Hub))).Message);
    }

    [Fact]
    public async Task A_wrong_announced_hash_is_never_accepted()
    {
        _hub.AnnouncedSha256 = new string('a', 64);
        Assert.Contains("SHA-256", (await Assert.ThrowsAsync<PullException>(() => _pulls.RunAsync())).Message);
        Assert.Empty(_pulls.Folder.Unfinished());
    }

    [Fact]
    public async Task A_disk_without_room_is_found_before_anything_is_fetched()
    {
        _pulls.FreeBytes = _ => 1000;
        Assert.Contains("make room", (await Assert.ThrowsAsync<IOException>(() => _pulls.RunAsync())).Message);
        Assert.Equal(0, _hub.FileRequests);
    }

    [Fact]
    public async Task A_disk_that_fills_up_ends_the_pull_and_what_came_is_kept()
    {
        _pulls.Write = Pulls.FullAfter(200_000);
        var fault = await Assert.ThrowsAsync<IOException>(() => _pulls.RunAsync());
        Assert.Contains("Make room", fault.Message);
        Assert.Empty(_pulls.Folder.List());
        Assert.Single(_pulls.Folder.Unfinished());
        var before = _hub.BytesSent;
        _pulls.Write = null;
        await _pulls.RunAsync();
        Assert.Equal(_hub.Model, _pulls.Pulled());
        Assert.InRange(_hub.BytesSent - before, 1, _hub.Model.Length - 100_000);
    }

    [Fact]
    public async Task Stopping_keeps_what_came()
    {
        using var stop = new CancellationTokenSource();
        _hub.Behaves = request => request < 5 ? Misbehaviour.None : new Misbehaviour { HangsAfter = 9_000 };
        _pulls.Used = Pulls.Limits with { Stall = TimeSpan.FromMinutes(1) };
        var pulling = _pulls.RunAsync(cancellationToken: stop.Token);
        while (_hub.FileRequests < 6)
        {
            await Task.Delay(5);
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pulling);
        var before = _hub.BytesSent;
        _hub.Behaves = _ => Misbehaviour.None;
        await _pulls.RunAsync();
        Assert.Equal(_hub.Model, _pulls.Pulled());
        Assert.InRange(_hub.BytesSent - before, 1, _hub.Model.Length - 80_000);
    }

    [Fact]
    public async Task Two_pulls_at_once_fetch_once()
    {
        var results = await Task.WhenAll(_pulls.RunAsync(), _pulls.RunAsync(), _pulls.RunAsync());
        Assert.Equal(_hub.Model, _pulls.Pulled());
        Assert.All(results, manifest => Assert.Equal(_hub.Sha256, manifest.Model.Sha256));
        Assert.InRange(_hub.BytesSent, _hub.Model.Length, _hub.Model.Length + 10_000);
    }

    [Fact]
    public async Task Whatever_goes_wrong_the_end_is_the_right_file_or_a_clear_line()
    {
        for (var seed = 1; seed <= 40; seed++)
        {
            var random = new Random(seed);
            var gate = new Lock();
            using var pulls = new Pulls(_hub) { Used = Pulls.Limits with { Stall = TimeSpan.FromMilliseconds(100) } };
            _hub.Behaves = _ =>
            {
                lock (gate)
                {
                    return Any(random);
                }
            };
            pulls.Write = random.Next(4) == 0 ? Pulls.FullAfter(random.Next(600_000)) : null;
            try
            {
                await pulls.RunAsync();
                Assert.Equal(_hub.Model, pulls.Pulled());
            }
            catch (Exception fault) when (fault is PullException or IOException)
            {
                Assert.DoesNotContain('\n', fault.Message);
                Assert.Empty(pulls.Folder.List());
            }

            (_hub.Behaves, pulls.Write) = (_ => Misbehaviour.None, null);
            await pulls.RunAsync();
            Assert.Equal(_hub.Model, pulls.Pulled());
        }
    }

    private static Misbehaviour Any(Random random) => random.Next(12) switch
    {
        0 => new Misbehaviour { DropsAfter = random.Next(50_000) },
        1 => new Misbehaviour { HangsAfter = random.Next(50_000) },
        2 => new Misbehaviour { Status = random.GetItems([403, 408, 429, 500, 503], 1)[0] },
        3 when random.Next(4) == 0 => new Misbehaviour { ETag = $"\"{random.Next(3)}\"" },
        4 when random.Next(3) == 0 => new Misbehaviour { Corrupts = true },
        5 when random.Next(3) == 0 => new Misbehaviour { IgnoresRange = true, DropsAfter = random.Next(400_000) },
        6 => new Misbehaviour { SendsAnotherPart = true },
        7 when random.Next(8) == 0 => new Misbehaviour { ClaimsAnotherLength = true },
        _ => Misbehaviour.None,
    };
}
