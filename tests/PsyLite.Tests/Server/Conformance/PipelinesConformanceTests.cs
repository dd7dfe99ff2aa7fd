using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using PsyLite.Agent.Crisis;

namespace PsyLite.Tests.Server.Conformance;

/// <summary>Checks 1 to 22: what Open WebUI's router calls on a Pipelines server, replayed.</summary>
public sealed class PipelinesConformanceTests
{
    private const string Key = "s3cret";
    private const string Danger = "我不想活了，药已经买好了";
    private static readonly object User = new { id = "u-1", name = "一", email = "a@b.c", role = "user" };

    private static Task<RunningServer> StartAsync(params string[] says) =>
        RunningServer.StartAsync(ScriptedChatClient.Saying(says.Length > 0 ? says : ["听起来你很累。", "愿意多说一点吗？"]));

    private static object Ask(string text, bool? stream = null, string? chat = null) => stream is { } given
        ? new { model = "psylite", stream = given, user = User, chat_id = chat, messages = new[] { new { role = "user", content = text } } }
        : new { model = "psylite", user = User, messages = new[] { new { role = "user", content = text } } };

    private static async Task<string> CompleteAsync(RunningServer server, object body)
    {
        var (status, answer) = await server.SendAsync(HttpMethod.Post, "/chat/completions", body);
        Assert.Equal(200, status);
        return Assert.Single(answer.GetProperty("choices").EnumerateArray()).GetProperty("message").GetProperty("content").GetString()!;
    }

    [Theory]
    [InlineData("/models")]
    [InlineData("/v1/models")]
    public async Task Check_01_models_mark_the_connection_and_say_their_type(string path)
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好"), apiKey: Key);
        var (status, body) = await server.SendAsync(HttpMethod.Get, path, key: Key);
        Assert.Equal(200, status);
        Assert.True(body.GetProperty("pipelines").GetBoolean());
        Assert.All(body.GetProperty("data").EnumerateArray(), m => Assert.Equal("pipe", m.GetProperty("pipeline").GetProperty("type").GetString()));
        _ = await server.SendAsync(HttpMethod.Post, "/psylite_guard/valves/update", new { pipelines = new[] { "*" }, priority = 3 }, Key);
        (_, body) = await server.SendAsync(HttpMethod.Get, path, key: Key);
        var filter = body.GetProperty("data").EnumerateArray().Single(m => m.GetProperty("pipeline").GetProperty("type").GetString() == "filter");
        Assert.Equal(("*", 3), (filter.GetProperty("pipeline").GetProperty("pipelines")[0].GetString(), filter.GetProperty("pipeline").GetProperty("priority").GetInt32()));
    }

    [Fact]
    public async Task Check_02_the_key_is_missed_with_403_and_refused_with_401()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好"), apiKey: Key);
        foreach (var (method, path) in new[] { (HttpMethod.Get, "/models"), (HttpMethod.Get, "/pipelines"), (HttpMethod.Get, "/psylite/valves"), (HttpMethod.Post, "/psylite/filter/inlet"), (HttpMethod.Post, "/chat/completions"), (HttpMethod.Get, "/Models") })
        {
            var (status, body) = await server.SendAsync(method, path);
            Assert.Equal((403, "Not authenticated"), (status, body.GetProperty("detail").GetString()));
            (status, body) = await server.SendAsync(method, path, key: "wrong");
            Assert.Equal((401, "Invalid API key"), (status, body.GetProperty("detail").GetString()));
        }
    }

    [Fact]
    public async Task Check_03_the_root_is_a_sign_of_life_for_clients_and_the_page_for_people()
    {
        await using var server = await StartAsync();
        async Task<(string? Type, string Text)> GetAsync(string path, string accept)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", accept } } };
            using var response = await server.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return (response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync());
        }

        foreach (var path in new[] { "/", "/v1" })
        {
            var (type, text) = await GetAsync(path, "*/*");
            Assert.Equal("application/json", type);
            Assert.True(JsonDocument.Parse(text).RootElement.GetProperty("status").GetBoolean());
        }

        Assert.Equal("text/html", (await GetAsync("/", "text/html,application/xhtml+xml,*/*;q=0.8")).Type);
    }

    [Fact]
    public async Task Check_04_pipelines_are_listed()
    {
        await using var server = await StartAsync();
        var (_, body) = await server.SendAsync(HttpMethod.Get, "/pipelines");
        Assert.Equal(
            [("psylite", "pipe"), ("psylite_guard", "filter")],
            body.GetProperty("data").EnumerateArray().Select(p => (p.GetProperty("id").GetString()!, p.GetProperty("type").GetString()!)));
        Assert.All(body.GetProperty("data").EnumerateArray(), p => Assert.True(p.GetProperty("valves").GetBoolean() && p.GetProperty("name").GetString()!.Length > 0));
    }

    [Theory]
    [InlineData("psylite")]
    [InlineData("psylite_guard")]
    public async Task Check_05_valves_are_what_their_spec_says(string id)
    {
        await using var server = await StartAsync();
        var (_, spec) = await server.SendAsync(HttpMethod.Get, $"/{id}/valves/spec");
        var (_, valves) = await server.SendAsync(HttpMethod.Get, $"/{id}/valves");
        var properties = spec.GetProperty("properties").EnumerateObject().Select(p => p.Name).ToHashSet();
        Assert.NotEmpty(properties);
        Assert.All(valves.EnumerateObject(), v => Assert.Contains(v.Name, properties));
    }

    [Fact]
    public async Task Check_06_an_update_is_the_whole_and_survives_a_restart()
    {
        using var files = new Store.TemporaryFolder();
        var setup = new ServerSetup { Options = o => o with { Valves = files["valves.json"] } };
        await using (var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好"), setup))
        {
            _ = await server.SendAsync(HttpMethod.Post, "/psylite/valves/update", new { humour = false, language = "en" });
            var (status, valves) = await server.SendAsync(HttpMethod.Post, "/psylite/valves/update", new { humour = false });
            Assert.Equal(200, status);
            Assert.False(valves.GetProperty("humour").GetBoolean());
            Assert.Equal("auto", valves.GetProperty("language").GetString());
        }

        await using var again = await RunningServer.StartAsync(ScriptedChatClient.Saying("好"), setup);
        var (_, kept) = await again.SendAsync(HttpMethod.Get, "/psylite/valves");
        Assert.False(kept.GetProperty("humour").GetBoolean());
    }

    [Fact]
    public async Task Check_07_a_wrong_type_changes_nothing()
    {
        await using var server = await StartAsync();
        _ = await server.SendAsync(HttpMethod.Post, "/psylite/valves/update", new { minors = true });
        foreach (var wrong in new object[] { new { minors = "yes" }, new { language = 5 }, new { language = "xx" }, new { region = new string('x', 999) } })
        {
            var (status, body) = await server.SendAsync(HttpMethod.Post, "/psylite/valves/update", wrong);
            Assert.Equal(422, status);
            Assert.False(string.IsNullOrEmpty(body.GetProperty("detail").GetString()));
        }

        Assert.True((await server.SendAsync(HttpMethod.Get, "/psylite/valves")).Body.GetProperty("minors").GetBoolean());
    }

    [Fact]
    public async Task Check_08_unknown_ids_are_told_in_these_words()
    {
        await using var server = await StartAsync();
        foreach (var (method, path, words) in new[] { (HttpMethod.Get, "/other/valves", "Pipeline other not found"), (HttpMethod.Get, "/other/valves/spec", "Pipeline other not found"), (HttpMethod.Post, "/other/filter/inlet", "Filter other not found") })
        {
            var (status, body) = await server.SendAsync(method, path, method == HttpMethod.Post ? new { body = new { }, user = User } : null);
            Assert.Equal((404, words), (status, body.GetProperty("detail").GetString()));
        }
    }

    [Fact]
    public async Task Check_09_an_inlet_returns_unknown_keys_unchanged()
    {
        await using var server = await StartAsync();
        const string Body = """{"model":"psylite","messages":[{"role":"user","content":"早🌞"}],"features":{"a":{"b":[1,{"c":null}]}},"big":123456789012345678901234567890,"exact":1.10,"emoji":"👩‍👩‍👧","files":[]}""";
        foreach (var path in new[] { "/psylite/filter/inlet", "/psylite/filter/outlet", "/v1/psylite/filter/inlet" })
        {
            using var response = await server.Http.PostAsync(path, new StringContent("{\"body\":" + Body + ",\"user\":{\"id\":\"1\"}}", new MediaTypeHeaderValue("application/json")));
            var returned = await response.Content.ReadAsStringAsync();
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Body), JsonNode.Parse(returned)), returned);
            Assert.Contains("123456789012345678901234567890", returned);
        }

        var (_, carried) = await server.SendAsync(HttpMethod.Post, "/psylite/filter/inlet", new { body = new { model = "psylite", metadata = new { chat_id = "c1", task = "title_generation", x = 1 } }, user = User });
        Assert.Equal(("c1", "title_generation", 1), (carried.GetProperty("chat_id").GetString(), carried.GetProperty("task").GetString(), carried.GetProperty("metadata").GetProperty("x").GetInt32()));
    }

    [Fact]
    public async Task Check_10_an_inlet_without_a_user_is_served()
    {
        await using var server = await StartAsync();
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Post, "/psylite/filter/inlet", new { body = new { model = "psylite" }, user = (object?)null })).Status);
    }

    [Fact]
    public async Task Check_11_the_guards_refusal_is_what_the_person_reads()
    {
        await using var server = await StartAsync();
        object Inlet(string text, string model) => new { body = new { model, messages = new[] { new { role = "user", content = text } } }, user = User };
        var (status, body) = await server.SendAsync(HttpMethod.Post, "/psylite_guard/filter/inlet", Inlet(Danger, "llama3"));
        Assert.Equal(500, status);
        Assert.Contains("12356", body.GetProperty("detail").GetString());
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Post, "/psylite_guard/filter/inlet", Inlet("今天有点累", "llama3"))).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Post, "/psylite_guard/filter/inlet", Inlet(Danger, "psylite"))).Status);
    }

    [Fact]
    public async Task Check_12_an_outlet_keeps_output_and_sources()
    {
        await using var server = await StartAsync();
        var body = JsonNode.Parse("""{"model":"psylite","chat_id":"c","id":"m","messages":[{"id":"1","role":"assistant","content":"好","output":[{"type":"message"}],"sources":[{"document":["d"]}],"usage":{"x":1}}]}""");
        var (status, returned) = await server.SendAsync(HttpMethod.Post, "/psylite/filter/outlet", new JsonObject { ["body"] = body!.DeepClone(), ["user"] = null });
        Assert.Equal(200, status);
        Assert.True(JsonNode.DeepEquals(body, JsonNode.Parse(returned.GetRawText())));
    }

    [Theory]
    [InlineData("/psylite.turn/filter/inlet")]
    [InlineData("/psylite.turn/filter/outlet")]
    [InlineData("/prefix.psylite/filter/inlet")]
    public async Task Check_13_a_part_of_a_module_has_its_filters(string path)
    {
        await using var server = await StartAsync();
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Post, path, new { body = new { }, user = User })).Status);
    }

    [Fact]
    public async Task Check_14_a_user_may_be_an_object()
    {
        await using var server = await StartAsync();
        Assert.Equal("听起来你很累。愿意多说一点吗？", await CompleteAsync(server, Ask("今天有点累", stream: false)));
    }

    [Fact]
    public async Task Check_15_a_completion_streams_unless_told_otherwise()
    {
        await using var server = await StartAsync();
        var lines = await server.StreamAsync(Ask("今天有点累"), "/chat/completions");
        Assert.Equal("[DONE]", lines[^1]);
        Assert.StartsWith("psylite-", JsonDocument.Parse(lines[0]).RootElement.GetProperty("id").GetString());
        Assert.NotEmpty(await CompleteAsync(server, Ask("今天有点累", stream: false)));
    }

    [Fact]
    public async Task Check_16_a_filter_does_not_complete()
    {
        await using var server = await StartAsync();
        var (status, body) = await server.SendAsync(HttpMethod.Post, "/chat/completions", new { model = "psylite_guard", messages = new[] { new { role = "user", content = "早" } } });
        Assert.Equal((404, "Pipeline psylite_guard not found"), (status, body.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task Check_17_danger_without_an_inlet_before_it_gets_the_help_line()
    {
        var model = ScriptedChatClient.Saying("不该出现");
        await using var server = await RunningServer.StartAsync(model);
        Assert.Contains("12356", await CompleteAsync(server, Ask(Danger, stream: false)));
        Assert.Equal(0, model.Calls);
    }

    [Fact]
    public async Task Check_18_a_title_for_a_conversation_in_danger_is_neutral()
    {
        var model = ScriptedChatClient.Saying("不该出现");
        await using var server = await RunningServer.StartAsync(model);
        var prompt = $"### Task:\nGenerate a concise title.\n### Output:\nJSON format: {{ \"title\": \"...\" }}\n### Chat History:\n<chat_history>\nUSER: {Danger}\n</chat_history>";
        foreach (var body in new object[]
        {
            new { model = "psylite", stream = false, user = User, messages = new[] { new { role = "user", content = prompt } } },

            // A template of the administrator's own is known by the name that the inlet carried over.
            new { model = "psylite", stream = false, user = User, task = "title_generation", chat_id = "c9", messages = new[] { new { role = "user", content = $"给下面的对话起个标题：{Danger}" } } },
        })
        {
            var title = JsonDocument.Parse(await CompleteAsync(server, body)).RootElement.GetProperty("title").GetString();
            Assert.False(string.IsNullOrWhiteSpace(title));
            Assert.DoesNotContain("12356", title);
            Assert.DoesNotContain("死", title);
        }

        Assert.Empty(server.Audit);
        Assert.Equal(0, model.Calls);

        // The task has left no trace in the conversation that it was about.
        _ = await CompleteAsync(server, Ask("今天有点累", stream: false, chat: "c9"));
        Assert.Equal(1, model.Calls);
    }

    [Theory]
    [InlineData("tags_generation", "tags", "### Task:\nGenerate 1-3 broad tags.\n### Output:\nJSON format: { \"tags\": [\"tag1\"] }\n### Chat History:\n<chat_history>\nUSER: x\n</chat_history>")]
    [InlineData("follow_up_generation", "follow_ups", "### Task:\nSuggest 3-5 relevant follow-up questions.\n### Output:\nJSON format: { \"follow_ups\": [\"Question 1?\"] }\n### Chat History:\n<chat_history>\nUSER: x\n</chat_history>")]
    [InlineData("query_generation", "queries", "### Task:\nDetermine the necessity of generating search queries.\n### Output:\n{ \"queries\": [] }\n<chat_history>\nUSER: x\n</chat_history>")]
    public async Task Check_19_other_tasks_parse_as_Open_WebUI_slices_them(string name, string key, string prompt)
    {
        await using var server = await StartAsync();
        foreach (var body in new object[]
        {
            new { model = "psylite", stream = false, messages = new[] { new { role = "user", content = prompt } } },
            new { model = "psylite", stream = false, metadata = new { task = name }, messages = new[] { new { role = "user", content = "自己的模板" } } },
        })
        {
            var text = await CompleteAsync(server, body);
            var sliced = text[text.IndexOf('{', StringComparison.Ordinal)..(text.LastIndexOf('}') + 1)];
            Assert.Equal(JsonValueKind.Array, JsonDocument.Parse(sliced).RootElement.GetProperty(key).ValueKind);
        }
    }

    [Fact]
    public async Task Check_20_fifty_users_of_alternating_risk_do_not_meet()
    {
        // The model that comes with the program, over the real server.
        await using var server = await RunningServer.StartAsync(load: null, waitForModel: true);
        Assert.Equal(ModelStatus.Ready, server.Parts.Model.Status);
        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => ConverseAsync(server, i)));
        for (var i = 0; i < replies.Length; i++)
        {
            var (first, second) = replies[i];
            Assert.False(string.IsNullOrWhiteSpace(second));
            if (i % 2 == 0)
            {
                Assert.Contains("12356", first);
                Assert.DoesNotContain("<details>", second);
            }
            else
            {
                Assert.DoesNotContain("12356", first + second);
            }
        }

        // One call for a person in each of the conversations in danger, and none in the others.
        Assert.Equal(25, server.Audit.Count(r => r.Action == AuditAction.TicketRaised));
    }

    private static async Task<(string First, string Second)> ConverseAsync(RunningServer server, int user)
    {
        var opening = user % 2 == 0 ? Danger : "今天去公园走了走";
        const string Happy = "今天升职了，太开心啦哈哈！";
        object Body(params (string Role, string Text)[] messages) => new
        {
            model = "psylite",
            stream = false,
            user = new { id = $"u-{user}", name = "n", email = "e", role = "user" },
            chat_id = $"c-{user}",
            messages = messages.Select(m => new { role = m.Role, content = m.Text }),
        };
        var first = await CompleteAsync(server, Body(("user", opening)));

        // Half of them have deleted their first message: the conversation is known by its name.
        var second = await CompleteAsync(server, user % 4 < 2 ? Body(("user", Happy)) : Body(("user", opening), ("assistant", first), ("user", Happy)));
        return (first, second);
    }

    [Fact]
    public async Task Check_21_a_status_comes_within_300_ms_while_the_judge_is_slow()
    {
        var slow = false;
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("真好。"), labels: async (_, labels, cancellationToken) =>
        {
            await Task.Delay(slow ? 1500 : 0, cancellationToken);
            return [.. labels.Select((_, i) => -1.0 - i)];
        });
        _ = await CompleteAsync(server, Ask("早", stream: false));
        slow = true;
        var best = TimeSpan.MaxValue;
        for (var attempt = 0; attempt < 4 && best > TimeSpan.FromMilliseconds(300); attempt++)
        {
            var watch = Stopwatch.StartNew();
            using var request = new HttpRequestMessage(HttpMethod.Post, "/chat/completions") { Content = JsonContent.Create(Ask("周末去公园走了走")) };
            using var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
            while (await lines.ReadLineAsync() is { } line)
            {
                if (line.Contains("\"event\"", StringComparison.Ordinal))
                {
                    best = watch.Elapsed < best ? watch.Elapsed : best;
                    var chunk = JsonDocument.Parse(line["data: ".Length..]).RootElement;
                    Assert.Equal(0, chunk.GetProperty("choices").GetArrayLength());
                    Assert.Equal("status", chunk.GetProperty("event").GetProperty("type").GetString());
                    break;
                }
            }
        }

        Assert.True(best <= TimeSpan.FromMilliseconds(300), $"the first status took {best.TotalMilliseconds} ms");
    }

    [Fact]
    public async Task Check_22_uploaded_code_is_refused_with_a_reason()
    {
        await using var server = await StartAsync();
        using var form = new MultipartFormDataContent { { new StringContent("print(1)"), "file", "pipe.py" } };
        using var response = await server.Http.PostAsync("/pipelines/upload", form);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("runs no uploaded code", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString());
        Assert.Equal(403, (await server.SendAsync(HttpMethod.Post, "/pipelines/add", new { url = "https://example.org/x.py" })).Status);
    }
}
