using System.Buffers.Binary;
using System.Text.Json.Nodes;

namespace PsyLite.Server.OpenAi;

/// <summary><c>/v1/embeddings</c>: numbers, or base64 of little-endian float32 as the npm client asks for unless told otherwise.</summary>
internal static class EmbeddingEndpoint
{
    public static async Task AnswerAsync(HttpContext http, EmbeddingDesk desk)
    {
        var body = await JsonBody.ReadObjectAsync(http);
        var model = JsonBody.Text(body, "model") ?? throw ApiException.Invalid("model is required", "model");
        var isBase64 = JsonBody.Text(body, "encoding_format") switch
        {
            null or "float" => false,
            "base64" => true,
            _ => throw ApiException.Invalid("encoding_format must be float or base64", "encoding_format"),
        };
        var texts = EmbeddingDesk.Texts(body, "input");
        var embedded = await desk.EmbedAsync(model, texts, JsonBody.Whole(body, "dimensions", 1), Caller.Of(http, body).User, http.RequestAborted);
        var data = new JsonArray();
        for (var i = 0; i < embedded.Vectors.Count; i++)
        {
            JsonNode vector = isBase64 ? Base64(embedded.Vectors[i]) : new JsonArray([.. embedded.Vectors[i].Select(v => (JsonNode)v)]);
            data.Add(new JsonObject { ["object"] = "embedding", ["index"] = i, ["embedding"] = vector });
        }

        var answer = new JsonObject
        {
            ["object"] = "list",
            ["data"] = data,
            ["model"] = embedded.Model,
            ["usage"] = new JsonObject { ["prompt_tokens"] = embedded.Tokens, ["total_tokens"] = embedded.Tokens },
        };
        http.Response.ContentType = "application/json; charset=utf-8";
        await http.Response.WriteAsync(answer.ToJsonString(ApiBoundary.Json), http.RequestAborted);
    }

    private static string Base64(float[] vector)
    {
        var bytes = new byte[vector.Length * sizeof(float)];
        for (var i = 0; i < vector.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
        }

        return Convert.ToBase64String(bytes);
    }
}
