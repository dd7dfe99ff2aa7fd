using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Risk;
using PsyLite.Engine.Remote;
using PsyLite.Tests.Agent;

namespace PsyLite.Tests.Engine.Remote;

public sealed class RemoteChatClientTests : IAsyncLifetime
{
    private FakeEngine _first = null!;
    private FakeEngine _second = null!;

    public async Task InitializeAsync() => (_first, _second) = (await FakeEngine.StartAsync(), await FakeEngine.StartAsync());

    public async Task DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    private RemoteOptions Options(RemoteProtocol protocol = RemoteProtocol.OpenAi, bool alone = false) => new()
    {
        Protocol = protocol,
        Endpoints = alone ? [_first.Address] : [_first.Address, _second.Address],
        Connect = TimeSpan.FromSeconds(2),
        FirstToken = TimeSpan.FromSeconds(2),
        Idle = TimeSpan.FromSeconds(1),
        Probe = TimeSpan.FromMinutes(5),
        Break = TimeSpan.FromMilliseconds(600),
    };

    private async Task<RemoteChatClient> ClientAsync(RemoteOptions? options = null)
    {
        var client = new RemoteChatClient(options ?? Options());
        await client.Ready;
        return client;
    }

    private static async Task<(string Reasoning, string Text)> AskAsync(IChatClient client, string text = "你好", CancellationToken cancellationToken = default)
    {
        var response = await client.GetResponseAsync(Turns.Say(text), null, cancellationToken);
        return (string.Concat(response.Messages.SelectMany(m => m.Contents).OfType<TextReasoningContent>().Select(c => c.Text)), response.Text);
    }

    /// <summary>The engine that this conversation goes to, told by asking.</summary>
    private async Task<(FakeEngine Favoured, FakeEngine Other)> FavouredAsync(RemoteChatClient client)
    {
        var before = _first.Chats;
        await AskAsync(client);
        return _first.Chats > before ? (_first, _second) : (_second, _first);
    }

    [Theory]
    [InlineData(RemoteProtocol.OpenAi, 0)]
    [InlineData(RemoteProtocol.OpenAi, 1)]
    [InlineData(RemoteProtocol.Ollama, 0)]
    [InlineData(RemoteProtocol.Ollama, 1)]
    public async Task Both_protocols_give_the_same_events(RemoteProtocol protocol, int slice)
    {
        _first.Slice = slice;
        await using var client = await ClientAsync(Options(protocol, alone: true) with { Key = "k", FirstToken = TimeSpan.FromSeconds(20), Idle = TimeSpan.FromSeconds(20) });
        Assert.Equal((FakeEngine.Thought, FakeEngine.Reply), await AskAsync(client));
        Assert.Equal("Bearer k", _first.Authorization);
        Assert.Equal(protocol == RemoteProtocol.OpenAi ? "served" : "served:latest", _first.LastBody.GetProperty("model").GetString());
        Assert.Null(client.Problem);
        Assert.Equal(0, _first.Aborted);
    }

    public static TheoryData<string, EngineFault> BeforeTheFirstToken() => new()
    {
        { "dies at once", new EngineFault { DiesAfter = 0 } },
        { "dies after its role", new EngineFault { DiesAfter = 2 } },
        { "slow headers", new EngineFault { HangsAfter = 0 } },
        { "silent after its role", new EngineFault { HangsAfter = 2 } },
        { "500", new EngineFault { Status = 500 } },
        { "429", new EngineFault { Status = 429, RetryAfter = "600" } },
        { "503 while loading", new EngineFault { Status = 503 } },
        { "404", new EngineFault { Status = 404 } },
        { "redirect", new EngineFault { Status = 307 } },
        { "garbage", new EngineFault { Raw = [1, 2, 3, 0xff, (byte)'\n', (byte)'\n'] } },
        { "a page", new EngineFault { Raw = "<html>"u8.ToArray() } },
        { "garbage in its format", new EngineFault { Raw = "data: {nonsense\n\n"u8.ToArray() } },
        { "half a character", new EngineFault { Raw = [.. "data: {\"choices\":[{\"delta\":{\"content\":\""u8, 0xE4, 0xBD, .. "\"}}]}\n\n"u8] } },
        { "an error", new EngineFault { Raw = "data: {\"error\":{\"message\":\"x\"}}\n\n"u8.ToArray() } },
        { "nothing", new EngineFault { Raw = [] } },
        { "only an end", new EngineFault { Raw = "data: [DONE]\n\n"u8.ToArray() } },
    };

    [Theory]
    [MemberData(nameof(BeforeTheFirstToken))]
    public async Task A_fault_before_the_first_token_is_the_other_endpoints_turn(string name, EngineFault fault)
    {
        await using var client = await ClientAsync();
        var (favoured, other) = await FavouredAsync(client);
        favoured.Behaves = _ => fault;
        Assert.Equal((name, FakeEngine.Thought, FakeEngine.Reply), (name, (await AskAsync(client)).Reasoning, (await AskAsync(client)).Text));
        Assert.Equal(2, other.Chats);
        other.Behaves = _ => fault;
        var refused = await Assert.ThrowsAsync<RemoteException>(() => AskAsync(client));
        Assert.DoesNotContain("secret", refused.ToString());
        Assert.DoesNotContain('\n', refused.Message);
    }

    public static TheoryData<string, EngineFault> Later() => new()
    {
        { "dies after five", new EngineFault { DiesAfter = 7 } },
        { "hangs", new EngineFault { HangsAfter = 7 } },
        { "ends without a word", new EngineFault { EndsAfter = 7 } },
        { "half a character", new EngineFault { Raw = [.. Encoding.UTF8.GetBytes(FakeEngine.Events("llama-server")[3]), .. "data: {\"choices\":[{\"delta\":{\"content\":\""u8, 0xE4] } },
    };

    [Theory]
    [MemberData(nameof(Later))]
    public async Task A_fault_after_the_first_token_is_told_and_never_tried_again(string name, EngineFault fault)
    {
        await using var client = await ClientAsync(Options() with { FirstToken = TimeSpan.FromSeconds(20) });
        var (favoured, other) = await FavouredAsync(client);
        favoured.Behaves = _ => fault;
        var heard = "";
        await Assert.ThrowsAsync<RemoteException>(async () =>
        {
            await foreach (var update in client.GetStreamingResponseAsync(Turns.Say("你好")))
            {
                heard += update.Text;
            }
        });
        Assert.Equal((name, 0), (name, other.Chats));
        Assert.StartsWith(heard, FakeEngine.Reply);
        favoured.Behaves = _ => EngineFault.None;
        Assert.Equal(FakeEngine.Reply, (await AskAsync(client)).Text);
    }

    [Fact]
    public async Task A_refused_request_is_nobodys_fault_and_goes_nowhere_else()
    {
        await using var client = await ClientAsync();
        var (favoured, other) = await FavouredAsync(client);
        favoured.Behaves = _ => new EngineFault { Status = 400 };
        for (var i = 0; i < 5; i++)
        {
            Assert.True((await Assert.ThrowsAsync<RemoteException>(() => AskAsync(client))).IsRequestFault);
        }

        Assert.Equal(0, other.Chats);
        favoured.Behaves = _ => EngineFault.None;
        Assert.Equal(FakeEngine.Reply, (await AskAsync(client)).Text);
    }

    [Fact]
    public async Task One_unlucky_reply_shuts_nobody_out()
    {
        _first.Behaves = request => request is 1 or 3 ? new EngineFault { DiesAfter = 0 } : EngineFault.None;
        await using var client = await ClientAsync(Options(alone: true));
        for (var i = 0; i < 2; i++)
        {
            await Assert.ThrowsAsync<RemoteException>(() => AskAsync(client));
            Assert.Equal(FakeEngine.Reply, (await AskAsync(client)).Text);
        }
    }

    [Fact]
    public async Task Retry_after_is_waited_for_when_nobody_else_is_left()
    {
        _first.Behaves = request => request == 1 ? new EngineFault { Status = 429, RetryAfter = "1" } : EngineFault.None;
        await using var client = await ClientAsync(Options(alone: true));
        var clock = Stopwatch.StartNew();
        Assert.Equal(FakeEngine.Reply, (await AskAsync(client)).Text);
        Assert.True(clock.ElapsedMilliseconds >= 900);
    }

    [Fact]
    public async Task An_endpoint_that_fails_over_and_again_rests_and_is_then_found_again()
    {
        await using var client = await ClientAsync();
        var (favoured, _) = await FavouredAsync(client);
        favoured.Behaves = _ => new EngineFault { Status = 500 };
        for (var i = 0; i < 12; i++)
        {
            await AskAsync(client);
        }

        Assert.InRange(favoured.Chats, 2, 8);
        favoured.Behaves = _ => EngineFault.None;
        await Task.Delay(700);
        var before = favoured.Chats;
        for (var i = 0; i < 40 && favoured.Chats == before; i++)
        {
            // Its time out is over; a look lets it in again. The failure of another wakes the looks.
            var other = favoured == _first ? _second : _first;
            other.Behaves = _ => new EngineFault { Status = 503 };
            try
            {
                await AskAsync(client);
            }
            catch (RemoteException)
            {
                await Task.Delay(50);
            }
        }

        Assert.True(favoured.Chats > before);
    }

    [Fact]
    public async Task The_least_busy_endpoint_is_chosen()
    {
        (_first.Pace, _second.Pace) = (TimeSpan.FromMilliseconds(30), TimeSpan.FromMilliseconds(30));
        await using var client = await ClientAsync(Options() with { FirstToken = TimeSpan.FromSeconds(20), Idle = TimeSpan.FromSeconds(20) });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => AskAsync(client, $"问题{i}")));
        Assert.InRange(_first.Chats, 3, 5);
        Assert.Equal(8, _first.Chats + _second.Chats);
    }

    [Fact]
    public async Task A_conversation_stays_where_its_beginning_is_cached()
    {
        await using var client = await ClientAsync();
        var (favoured, other) = await FavouredAsync(client);
        for (var i = 0; i < 5; i++)
        {
            await AskAsync(client);
        }

        Assert.Equal((6, 0), (favoured.Chats, other.Chats));
    }

    [Fact]
    public async Task Leaving_early_closes_the_connection()
    {
        _first.Pace = TimeSpan.FromMilliseconds(100);
        await using var client = await ClientAsync(Options(alone: true));
        await foreach (var update in client.GetStreamingResponseAsync(Turns.Say("你好")))
        {
            break;
        }

        await SoonAsync(() => _first.Aborted == 1);
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AskAsync(client, cancellationToken: stop.Token));
        await SoonAsync(() => _first.Aborted == 2);
    }

    [Fact]
    public async Task With_nobody_there_the_line_says_so()
    {
        (_first.IsDead, _second.IsDead) = (true, true);
        await using var client = await ClientAsync();
        Assert.Contains("--endpoint", client.Problem);
        await Assert.ThrowsAsync<RemoteException>(() => AskAsync(client));
    }

    [Fact]
    public async Task The_judges_likelihoods_come_from_the_first_token()
    {
        object Position(string name) => new { token = "平", logprob = -0.2, top_logprobs = new object[] { new { token = "平", bytes = Encoding.UTF8.GetBytes("平").Select(b => (int)b), logprob = -0.2 }, new { token = name, logprob = -2.0 } } };
        _first.Short = body => body.GetProperty("top_logprobs").GetInt32() == 20 && !body.TryGetProperty("options", out _)
            ? new { choices = new[] { new { message = new { content = "平" }, logprobs = new { content = new[] { Position("愉快") } } } } }
            : new { message = new { content = "平" }, logprobs = new[] { Position("愉快") }, done = true };
        foreach (var protocol in Enum.GetValues<RemoteProtocol>())
        {
            await using var client = await ClientAsync(Options(protocol, alone: true));
            Assert.Equal([-2.0, -0.2, -2.0], (await client.ScoreAsync(Turns.Say("还好"), ["愉快", "平稳", "低落"])).Select(l => Math.Round(l, 9)));
        }
    }

    [Theory]
    [InlineData("低落", true)]
    [InlineData(" 低落\n", true)]
    [InlineData("低落。", false)]
    [InlineData("我觉得是低落", false)]
    [InlineData("", false)]
    public async Task Without_likelihoods_the_endpoint_must_choose_exactly(string said, bool isVerdict)
    {
        _first.Short = body => body.TryGetProperty("options", out _)
            ? new { message = new { content = isVerdict ? System.Text.Json.JsonSerializer.Serialize(said.Trim()) : said }, done = true }
            : new { choices = new[] { new { message = new { content = said } } } };
        foreach (var protocol in Enum.GetValues<RemoteProtocol>())
        {
            await using var client = await ClientAsync(Options(protocol, alone: true));
            var judge = new LabelJudge(client.ScoreAsync, TimeSpan.FromSeconds(5), TimeProvider.System);
            Assert.Equal(isVerdict ? new LabelAnswer(LabelQuestion.Low) : LabelAnswer.Failed, await judge.AskAsync(LabelQuestion.Mood, Turns.Say("好累"), default));
            Assert.True(_first.LastBody.TryGetProperty(protocol == RemoteProtocol.Ollama ? "format" : "grammar", out _));
        }
    }

    [Fact]
    public async Task A_pool_that_loses_an_endpoint_in_the_middle_loses_no_conversation()
    {
        (_first.Pace, _second.Pace) = (TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(5));
        await using var client = await ClientAsync(Options() with { FirstToken = TimeSpan.FromSeconds(20), Idle = TimeSpan.FromSeconds(20) });
        var pipeline = Turns.Pipeline(client, client.ScoreAsync);
        var conversations = Enumerable.Range(0, 8).Select(_ => new ConversationState()).ToList();
        var (broken, whole) = (0, 0);
        for (var round = 0; round < 6; round++)
        {
            var dying = round == 2 ? Task.Delay(20).ContinueWith(_ => _first.IsDead = true, TaskScheduler.Default) : Task.CompletedTask;
            var results = await Task.WhenAll(conversations.Select(async (state, i) => Turns.Result(await pipeline.EventsAsync(new TurnRequest(Turns.Say($"第{i}次聊工作，有点累"), state)))));
            await dying;
            Assert.All(results, result => Assert.False(string.IsNullOrWhiteSpace(result.Reply)));
            var good = results.Count(r => r.UsedModel && r.Reply.Contains(FakeEngine.Reply, StringComparison.Ordinal));
            (broken, whole) = (broken + (results.Length - good), whole + good);
            Assert.True(round == 2 || good == results.Length, $"round {round}: {good} of {results.Length}");
        }

        Assert.Equal(48, broken + whole);
        Assert.InRange(broken, 0, 5);
    }

    private static async Task SoonAsync(Func<bool> isTrue)
    {
        for (var looks = 0; looks < 100 && !isTrue(); looks++)
        {
            await Task.Delay(10);
        }

        Assert.True(isTrue());
    }
}
